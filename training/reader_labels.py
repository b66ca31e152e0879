"""What the second reader should say of a question, token by token and column by column, and how far it is from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from causal_tools.columns_shown import items_of, shown_levels
from causal_tools.contract import CausalQuery, Condition
from causal_tools.names_said import column_mentions
from causal_tools.question_words import number_places, places_of
from causal_tools.second_reading import (
    ALL,
    CONDITION,
    NODE,
    OPERATORS,
    SLOTS,
    TASK_ROLES,
)
from training.grammar.engine import FamilyTask
from training.queries import QueryItem

TASKS = get_args(FamilyTask)
NAMES = {"classes": TASKS, "marks": (ALL,), "slots": SLOTS, "kinds": OPERATORS}
UNLINKED = 0  # the place of a token that speaks of no column
LINKS_COUNT = 2.0  # times as much as the tokens' slots
NOT_COUNTED = -100


def plain_question(item: QueryItem) -> str:
    return " ".join(item.question.split())


@dataclass(frozen=True)
class Labelled:
    """A row of tokens and what should be said of it.

    Attributes:
        row: of tokens.
        task: its number.
        roles: (columns, slots), one where a column fits.
        every: whether all columns are asked for.
        operators: (columns,) the operator of a condition on each, or ``NOT_COUNTED``.
        options: (options,) one for a level that is meant.
        links: (tokens of the text,) the column that each speaks of, counted from one; ``UNLINKED``; or ``NOT_COUNTED``.
    """

    row: Any
    task: int
    roles: np.ndarray
    every: bool
    operators: np.ndarray
    options: np.ndarray
    links: np.ndarray

    @property
    def option_of(self) -> np.ndarray:
        """(options,) the number of each one's column."""
        return np.array([item for item, _, _ in self.row.options], dtype=int)

    @property
    def words(self) -> np.ndarray:
        """(tokens of the text,) the first slot of the column that each speaks of, counted from one, or 0."""
        slots = np.where(self.roles.any(1), self.roles.argmax(1) + 1, 0) if len(self.roles) else np.zeros(0, int)
        return np.where(self.links > 0, np.append(slots, 0)[np.maximum(self.links, 1) - 1], self.links)


def labelled(item: QueryItem, form: Any) -> Labelled:
    """What should be said of a question, in rows made as ``form`` says (:class:`lm.pointer_encoders.RowTokens`)."""
    from lm.pointer_network import lay_out

    question = plain_question(item)
    row = lay_out(form, question, items_of(question, item.columns, item.levels))
    query = CausalQuery.model_validate(item.query) if item.query is not None else None
    place = {column: number for number, column in enumerate(item.columns[: len(row.items)])}
    roles = np.zeros((len(row.items), len(SLOTS)), dtype=np.float32)
    operators = np.full(len(row.items), NOT_COUNTED)
    options = np.zeros(len(row.options), dtype=np.float32)
    conditions = [one for one in query.conditions if one.column in place] if query else []
    if query is not None:
        pairs = [(role, getattr(query, role)) for role in TASK_ROLES]
        pairs += [(CONDITION, condition.column) for condition in conditions]
        pairs += [(NODE, column) for column in query.nodes or () if query.nodes != "all"]
        for slot, column in pairs:
            if column in place:
                roles[place[column], SLOTS.index(slot)] = 1
    for condition in conditions:
        operators[place[condition.column]] = OPERATORS.index(condition.operator)
        levels = shown_levels(question, item.levels.get(condition.column, ()))
        own = [number for number, (of, _, _) in enumerate(row.options) if of == place[condition.column]]
        for number, level in zip(own, levels, strict=False):
            options[number] = level in condition.all_values
    every = query is not None and query.nodes == "all"
    return Labelled(
        row, TASKS.index(item.task), roles, every, operators, options, _links(item, query, conditions, row, place)
    )


def _links(
    item: QueryItem, query: CausalQuery | None, conditions: Sequence[Condition], row: Any, place: dict[str, int]
) -> np.ndarray:
    """Of each token of the text the column that it speaks of. Where a question may speak of a column in words that are not
    known, only those that are known count."""
    question = plain_question(item)
    mentions = column_mentions(question, item.columns)
    spans = [(one.start, one.end, one.column) for one in mentions]
    spans += [(*span, column) for column, words in item.said.items() for span in places_of(words, question)]
    numbers = [one for one in number_places(question) if not any(m.start < one[1] and one[0] < m.end for m in mentions)]
    by_value = {value: one.column for one in conditions for value in one.all_values}
    spans += [(start, end, by_value[value]) for start, end, value in numbers if value in by_value]
    known = {column for _, _, column in spans}
    whole = query is not None and (query.nodes == "all" or set(query.columns()) <= known)
    links = np.full(row.text_tokens, UNLINKED if whole else NOT_COUNTED)
    links[[0, -1]] = NOT_COUNTED
    for start, end, column in sorted(spans, key=lambda span: span[0] - span[1]):  # short ones say it more exactly
        for token, (begin, stop) in enumerate(row.offsets):
            if begin < end and start < stop:
                links[token + 1] = place[column] + 1 if column in place else NOT_COUNTED
    return links


def tensors(rows: Sequence[Labelled]) -> dict[str, Any]:
    import torch

    from lm.pointer_network import batch_of

    batch = batch_of([one.row for one in rows])
    most = batch["there"].shape[1]

    def padded(name: str, shape: tuple[int, ...], filler: float, kind: Any) -> Any:
        whole = torch.full((len(rows), *shape), filler, dtype=kind)
        for number, one in enumerate(rows):
            own = torch.from_numpy(getattr(one, name))
            whole[number, : len(own)] = own
        return whole

    return {
        **batch,
        "task": torch.tensor([one.task for one in rows]),
        "every": torch.tensor([float(one.every) for one in rows]),
        "roles": padded("roles", (most, len(SLOTS)), 0, torch.float32),
        "operators": padded("operators", (most,), NOT_COUNTED, torch.int64),
        "options": padded("options", (batch["option_pool"].shape[1],), 0, torch.float32),
        "option_of": padded("option_of", (batch["option_pool"].shape[1],), -1, torch.int64),
        "links": padded("links", (batch["tokens"].shape[1],), NOT_COUNTED, torch.int64),
        "words": padded("words", (batch["tokens"].shape[1],), NOT_COUNTED, torch.int64),
    }


def reader_loss(network: Any, batch: dict[str, Any]) -> Any:
    """Mean negative log-likelihood of a question's task, roles, conditions with operators and levels, and nodes; and of what
    its tokens speak of."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as binary
    from torch.nn.functional import cross_entropy

    said = network(batch)
    there, roles, task = batch["there"], batch["roles"], batch["task"]
    total = cross_entropy(said.classes, task, reduction="sum")
    for number, _ in enumerate(TASK_ROLES):
        own = roles[..., number].sum(1) > 0
        shares = said.slots[own, :, number].masked_fill(~there[own], -torch.inf).log_softmax(-1)
        total = total - shares[roles[own, :, number] > 0].sum()
    graph = task == TASKS.index("CGL")
    asked_of = {CONDITION: ~graph & (task != TASKS.index("NONE")), NODE: graph & (batch["every"] == 0)}
    for slot, own in asked_of.items():
        number = SLOTS.index(slot)
        each = binary(said.slots[own, :, number], roles[own, :, number], reduction="none")
        total = total + each[there[own]].sum()
    total = total + binary(said.marks[graph, 0], batch["every"][graph], reduction="sum")
    counted = {"ignore_index": NOT_COUNTED, "reduction": "sum"}
    total = total + cross_entropy(said.kinds.flatten(0, 1), batch["operators"].flatten(), **counted)
    total = total + _against_options(said.options, batch["options"], batch["option_of"])
    links = cross_entropy(said.links.flatten(0, 1), batch["links"].flatten(), ignore_index=NOT_COUNTED)
    words = cross_entropy(said.words.flatten(0, 1), batch["words"].flatten(), ignore_index=NOT_COUNTED)
    return total / len(task) + LINKS_COUNT * links + words


def _against_options(logits: Any, meant: Any, option_of: Any) -> Any:
    """Of each item of which an option is meant, the mean negative log-probability of those meant."""
    total = logits.new_zeros(())
    for row, item in {(int(row), int(option_of[row, option])) for row, option in meant.nonzero()}:
        own = option_of[row] == item
        total = total - logits[row, own].log_softmax(-1)[meant[row, own] > 0].mean()
    return total
