"""A second reader beside the language model: what a small encoder, tuned for nothing else, makes of question and header.

It sees the question and all columns at once, and says which task is asked, which column has which role, which words speak of
which column, and of conditions the operator and the level. What it holds against a reading counts as signs
(:mod:`causal_tools.reading_evidence`), in nats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from math import exp, log
from pathlib import Path
from typing import Any, get_args

import numpy as np

from causal_tools.columns_shown import items_of, shown_levels
from causal_tools.contract import Condition, Operator, Scalar
from causal_tools.prompts import ALL_COLUMNS, NOT_CAUSAL
from causal_tools.question_words import number_places, numbers_shared, places_of
from causal_tools.times_said import numbers_of
from causal_tools.values_said import ValuesSaid
from lm.pointer import Pointed, load_pointer, pointers_beside, read_by_all

TASK_ROLES = ("treatment", "response", "mediator")
CONDITION, NODE, ALL = "condition", "node", "all"
SLOTS = (*TASK_ROLES, CONDITION, NODE)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
MOST_AGAINST = 8.0  # nats of one choice: nothing is impossible
MOST_MISSED = 4.0  # nats of all that a reading leaves out, which in a wide file adds up
EACH_FURTHER = 1.0  # nats against each level of a condition from the third on: few conditions name so many
ORDERS = (3, 1)  # of the columns, that the readers read a question in


class SecondReading:
    """What speaks against parts of a reading of one question, in nats.

    Args:
        pointed: what the reader found, items being the columns.
        question: in words, one space between two.
        columns: in the same order.
        levels: of the columns, where known.
    """

    def __init__(
        self,
        pointed: Pointed,
        question: str,
        columns: Sequence[str],
        levels: Mapping[str, Sequence[Scalar]] | None = None,
    ) -> None:
        self._pointed, self._question = pointed, question
        self._place = {column: number for number, column in enumerate(columns)}
        self._levels = {column: (levels or {}).get(column, ()) for column in columns}
        self.values_said = ValuesSaid(question, columns, levels)
        self._role = {role: _capped(-_log_softmax(pointed.slots[role])) for role in TASK_ROLES}
        self._for = {slot: _softplus(-pointed.slots[slot]) for slot in (CONDITION, NODE)}
        self._without = {slot: _softplus(pointed.slots[slot]) for slot in (CONDITION, NODE)}
        self._links = [(one.log_probs, *np.array(one.offsets, dtype=int).reshape(-1, 2).T) for one in pointed.links]
        self._words: dict[str, np.ndarray] = {}
        self._clear: dict[str, np.ndarray] = {}

    def signs_in(self, slot: str, column: str, words: str | None = None) -> dict[str, float]:
        """What speaks against a column in a slot of a reading (``node 1``, ``where 2``, a role), as signs.

        Args:
            column: its name, or :data:`ALL_COLUMNS`.
            words: the question's words that are taken for it.
        """
        signs = {"second_words": self.against_words(words, column)} if words else {}
        if slot in TASK_ROLES:
            return signs | {"second_role": self.against_role(slot, column)}
        if slot.startswith("where"):
            return signs | {"second_condition": self.against_one(CONDITION, column)}
        if column == ALL_COLUMNS:
            return {"second_node": self.against_all(True)}
        more = self.against_all(False) if slot == "node 1" else 0.0
        return signs | {"second_node": self.against_one(NODE, column) + more}

    def share_in(self, slot: str, column: str) -> float:
        """How likely the column is in a slot, by the readers."""
        if column == ALL_COLUMNS:
            return exp(-self.against_all(True))
        if slot in TASK_ROLES:
            return exp(-self.against_role(slot, column))
        return exp(-self.against_one(CONDITION if slot.startswith("where") else NODE, column))

    def share_anywhere(self, column: str) -> float:
        """How likely the column is in the slot that it is likeliest in, by the readers."""
        at = self._place[column]
        return exp(-min(float(held[at]) for held in (*self._role.values(), *self._for.values())))

    def signs_of(self, conditions: Sequence[Condition]) -> dict[str, float]:
        """What speaks against the operator and the values of a condition, as signs; or of the two ends of a range, of whose
        operators and levels the readers know one."""
        column = conditions[0].column
        numbers = [] if self._levels[column] else [value for one in conditions for value in one.all_values]
        return {
            "second_operator": min(self.against_operator(column, one.operator) for one in conditions),
            "second_level": min(self.against_levels(column, one.all_values) for one in conditions),
            "second_number": sum(self.against_number(value, column) for value in numbers),
        }

    def signs_of_whole(self, fields: Mapping[str, Any], said: Mapping[str, str] | None = None) -> dict[str, float]:
        """What a whole reading of a causal task leaves out, as signs.

        Args:
            fields: of the reading.
            said: by column, the question's words that are taken for it.
        """
        if fields["task"] == "CGL":
            nodes = fields.get("nodes") or ()
            return {} if nodes == "all" else {"second_node": self.against_rest(NODE, nodes)}
        conditions = fields.get("conditions", ())
        used = [fields[role] for role in TASK_ROLES if fields.get(role)] + [one.column for one in conditions]
        held = {value for one in conditions for value in one.all_values}
        held |= {value for text in map(str, held) for _, _, value in number_places(text)}
        for column, words in (said or {}).items():
            held |= numbers_shared(words, column, self._levels[column])
        held |= {level for column in used for level in self._levels[column]}  # as the options of a decision
        held |= {number for column in used for number in numbers_of(column)}
        return {
            "second_condition": self.against_rest(
                CONDITION, {one.column for one in conditions} | self.values_said.excused(conditions)
            ),
            "second_number": self.against_aside(held),
        }

    def against_task(self, task: str) -> float:
        """That this is the task."""
        return min(-self._pointed.classes[task], MOST_AGAINST)

    def against_role(self, role: str, column: str) -> float:
        """That the column is treatment, response or mediator."""
        return float(self._role[role][self._place[column]])

    def against_one(self, slot: str, column: str) -> float:
        """That there is a condition on the column, or that it is a node."""
        return float(self._for[slot][self._place[column]])

    def against_rest(self, slot: str, columns: Collection[str]) -> float:
        """That only these columns have a condition, or are nodes."""
        return self.against_leaving(slot, [column for column in self._place if column not in columns])

    def against_leaving(self, slot: str, columns: Collection[str]) -> float:
        """That these columns have no condition, or are no nodes."""
        return min(float(self._without[slot][[self._place[column] for column in columns]].sum()), MOST_MISSED)

    def against_all(self, every: bool) -> float:
        """That the graph is of all columns, or of some."""
        return float(_softplus(np.array(-self._pointed.marks[ALL] if every else self._pointed.marks[ALL])))

    def against_operator(self, column: str, operator: Operator) -> float:
        """That a condition on the column has this operator."""
        return min(-float(self._pointed.kinds[operator][self._place[column]]), MOST_AGAINST)

    def against_levels(self, column: str, values: Collection[Scalar]) -> float:
        """That a condition is on these levels of the column, more than if they were all that is likely, and alike. A level that
        was not shown is as unlikely as the least likely of those shown, unless it is a number that the question says. Of a
        column whose levels are not known, that these words speak of it."""
        if not self._levels[column]:
            texts = [value for value in values if isinstance(value, str)]
            return sum(self.against_words(text, column) for text in texts) / len(values)
        against = _capped(-self._pointed.options[self._place[column]])
        levels = shown_levels(self._question, self._levels[column])[: len(against)]
        if not levels:
            return 0.0
        of = dict(zip(levels, map(float, against), strict=True))
        each = [of.get(value, 0.0 if value in self.values_said.numbers else max(of.values())) for value in values]
        return max(0.0, float(np.mean(each)) - log(len(each))) + EACH_FURTHER * max(0, len(each) - 2)

    def against_words(self, words: str, column: str) -> float:
        """That the question's words speak of the column: the mean over their tokens, where they say it most clearly."""
        if words not in self._words:
            self._words[words] = self._of_places(places_of(words, self._question))
        return float(self._words[words][self._place[column]])

    def against_number(self, value: Scalar, column: str) -> float:
        """That a number of the question speaks of the column; 0 where the question does not say it."""
        return float(self._numbers[value][self._place[column]]) if value in self._numbers else 0.0

    def against_aside(self, values: Collection[Scalar]) -> float:
        """That only these of the question's numbers speak of a column."""
        return min(float(sum(of[-1] for value, of in self._numbers.items() if value not in values)), MOST_MISSED)

    def words_for(self, words: str) -> np.ndarray:
        """(columns,) log-odds that the question's words, all of them together, are those that speak of each column."""
        if words not in self._clear:
            best = [
                np.mean([_odds(log_probs[own]).sum(0) for log_probs, own in held], axis=0)
                for held in self._tokens_of(places_of(words, self._question))
            ]
            self._clear[words] = np.max(best, axis=0)[:-1] if best else np.full(len(self._place), -np.inf)
        return self._clear[words]

    @cached_property
    def _numbers(self) -> dict[Scalar, np.ndarray]:
        """By number that the question says and no column is called by, (columns + 1,) nats against what it may speak of."""
        return {value: self._of_places(places) for value, places in self.values_said.number_places.items()}

    def _of_places(self, places: Sequence[tuple[int, int]]) -> np.ndarray:
        """(columns + 1,) nats against each, at the place that speaks of it most clearly."""
        against = [
            np.mean([_capped(-log_probs[own]).mean(0) for log_probs, own in held], axis=0)
            for held in self._tokens_of(places)
        ]
        return np.min(against, axis=0) if against else np.zeros(len(self._place) + 1)

    def _tokens_of(self, places: Sequence[tuple[int, int]]) -> list[list[tuple[np.ndarray, np.ndarray]]]:
        """By place, what each reader makes of the text's tokens, and which of them stand there; without places that one of the
        readers has not seen."""
        found = [
            [(log_probs, (starts < end) & (start < ends)) for log_probs, starts, ends in self._links]
            for start, end in places
        ]
        return [held for held in found if all(own.any() for _, own in held)]


def second_readings(
    asked: Sequence[tuple[str, Sequence[str], Mapping[str, Sequence[Scalar]] | None]], readers: Sequence[Path]
) -> list[SecondReading]:
    """Second readings of questions, each with its file's columns and their levels, by the readers of these folders together."""
    plain = [(" ".join(question.split()), columns, levels) for question, columns, levels in asked]
    pointers = [load_pointer(folder) for folder in readers]
    shown = [(question, items_of(question, columns, levels or {})) for question, columns, levels in plain]
    found = read_by_all(pointers, shown, ORDERS[: len(pointers)])
    return [SecondReading(pointed, *one) for pointed, one in zip(found, plain, strict=True)]


def share_causal(
    question: str, columns: Sequence[str], levels: Mapping[str, Sequence[Scalar]] | None, model: object
) -> float:
    """How likely the readers that go with a model find a question to be of one of the five tasks, before it writes anything."""
    (second,) = second_readings([(question, columns, levels)], readers_of(model))
    return 1.0 - exp(-second.against_task(NOT_CAUSAL))


def readers_of(model: object) -> list[Path]:
    """Folders of the readers that go with a model: a tuned one may bring its own."""
    return pointers_beside(getattr(model, "adapter", None))


def _capped(values: np.ndarray) -> np.ndarray:
    return np.minimum(values, MOST_AGAINST)


def _odds(log_probs: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, none beyond what counts at most against a choice."""
    least = np.exp(-MOST_AGAINST)
    shares = np.clip(np.exp(log_probs), least, 1 - least)
    return np.asarray(np.log(shares) - np.log1p(-shares))


def _softplus(logits: np.ndarray) -> np.ndarray:
    """−log of the logistic function of the negated logits, capped."""
    return _capped(np.logaddexp(0.0, logits))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))
