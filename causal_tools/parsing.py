"""From a question to a query: the language model fills the slots of a reading, each from a closed list.

Columns come from the file's header, values from the question or from the column's own levels, so that the model cannot name
what is not there. Each slot takes the candidate of highest probability under the model (chain rule over its tokens and the
closing quote).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

import numpy as np

from causal_tools.contract import REQUIRED, CausalQuery, Condition, Operator, Scalar, Task
from causal_tools.errors import NotCausal, QueryError
from causal_tools.prompts import NOT_CAUSAL, parse_messages, quoted

MOST_COLUMNS = 60
MOST_CONDITIONS = 3
_FILE_NAME = re.compile(r"[\w\-]+(?:\.[\w\-]+)*\.(?:csv|tsv|txt|parquet|xlsx|xls)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-−+]?\d*\.?\d+")
_WORD = re.compile(r"[^\s\"'“”‘’(),;?!]+")


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def continuation(self, text: str) -> Any: ...


@dataclass(frozen=True)
class Reading:
    """A parsed question.

    Attributes:
        query: what will be run.
        confidence: per slot, the model's probability of the choice among its candidates.
        notes: what was assumed or left out.
    """

    query: CausalQuery
    confidence: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_question(
    model: ContinuationModel,
    question: str,
    columns: Sequence[str],
    dataset: str | None = None,
    levels: Mapping[str, Sequence[Scalar]] | None = None,
) -> Reading:
    """Parse a causal question about a data file.

    Args:
        model: a language model that continues text from closed lists.
        question: in words.
        columns: header of the file.
        dataset: the file's name; where None, a file name in the question is taken.
        levels: for columns whose levels are known (categorical ones), those levels.

    Raises:
        QueryError: the question is empty, or the file has too few columns for the task.
        NotCausal: the model reads the question as none of the five tasks.
    """
    if not question.strip():
        raise QueryError("the question is empty. Ask, for example: How does treatment affect outcome?")
    if len(columns) < 2:
        raise QueryError(f"a causal question needs at least two columns; the file has {len(columns)}: {', '.join(columns)}")
    named = _FILE_NAME.search(question)
    notes: list[str] = []
    if len(columns) > MOST_COLUMNS:
        columns = _nearest(question, columns)
        notes.append(f"only the {MOST_COLUMNS} columns closest to the question's words were offered to the language model")
    text = model.chat_text(parse_messages(question, columns))
    form = _Form(model.continuation(text), question, list(columns), levels or {})
    fields = form.fill()
    return Reading(
        CausalQuery.model_validate({"dataset": dataset or (named.group(0) if named else None), **fields}), form.confidence, notes
    )


class _Form:
    """The reading being written: which slot comes next, and what may stand in it."""

    def __init__(
        self, text: Any, question: str, columns: list[str], levels: Mapping[str, Sequence[Scalar]]
    ) -> None:
        self.confidence: dict[str, float] = {}
        self._text = text
        self._question = question
        self._columns = columns
        self._levels = levels

    def fill(self) -> dict[str, Any]:
        task = self._choose("task", '{"task": ', [*get_args(Task), NOT_CAUSAL])
        if task == NOT_CAUSAL:
            raise NotCausal(
                "this reads as no causal question. What can be asked: the effect of one column on another, on average or where "
                "a condition holds, through a mediator, which action is best, or the causal graph of the columns"
            )
        if task == "CGL":
            return {"task": task, "nodes": self._nodes()}
        free = list(self._columns)
        fields: dict[str, Any] = {"task": task}
        for role in ("treatment", "response", "mediator"):
            if role in REQUIRED[task]:
                if not free:
                    raise QueryError(f"task {task} needs a column for {role}, but the file has only {len(self._columns)} columns")
                fields[role] = self._choose(role, f', "{role}": ', free)
                free.remove(fields[role])
        if task in ("HTE", "OPO"):
            fields["conditions"] = self._conditions(free, at_least=1 if task == "HTE" else 0)
        return fields

    def _nodes(self) -> Any:
        first = self._choose("node 1", ', "node": ', ["all", *self._columns])
        if first == "all":
            return "all"
        nodes = [first]
        while left := [column for column in self._columns if column not in nodes]:
            more = self._choose_or_end(f"node {len(nodes) + 1}", ', "node": ', left, may_end=len(nodes) >= 2)
            if more is None:
                break
            nodes.append(more)
        return tuple(nodes)

    def _conditions(self, free: list[str], at_least: int) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        while free and len(conditions) < MOST_CONDITIONS:
            number = len(conditions) + 1
            column = self._choose_or_end(f"where {number}", ', "where": ', free, may_end=len(conditions) >= at_least)
            if column is None:
                break
            candidates = self._values(column)
            if not candidates:
                raise QueryError(f"the question names no value for a condition on {column!r}")
            operators = [op for op in get_args(Operator) if op != "in" or len(candidates) > 1]
            operator = self._choose(f"is {number}", ', "is": ', operators)
            value = self._several(number, candidates) if operator == "in" else self._one_value(number, candidates)
            conditions.append(Condition(column=column, operator=operator, value=value))  # type: ignore[arg-type]
            free = [name for name in free if name != column]
        return tuple(conditions)

    def _one_value(self, number: int, candidates: dict[str, Scalar]) -> Scalar:
        return candidates[self._choose(f"value {number}", ', "value": ', list(candidates))]

    def _several(self, number: int, candidates: dict[str, Scalar]) -> tuple[Scalar, ...]:
        """A list of values, written as one text with bars between them: ``"a | b"``."""
        self._text.append(', "value": "')
        chosen: list[str] = []
        while len(chosen) < len(candidates):
            left = [text for text in candidates if text not in chosen]
            ends = ['"'] if chosen else []
            ends += [" | "] if len(left) > 1 else []
            pieces = {_inner(text) + end: text for text in left for end in ends or ['"']}
            piece = self._take(f"value {number}", list(pieces))
            chosen.append(pieces[piece])
            if piece.endswith('"'):
                break
        return tuple(candidates[text] for text in chosen)

    def _values(self, column: str) -> dict[str, Scalar]:
        """What may stand as the value of a condition, text to value: the column's levels, else numbers, else phrases."""
        known = self._levels.get(column)
        if known is not None:
            return {str(level): level for level in known}
        numbers = {match.group(0).lstrip("+").replace(",", "").replace("−", "-") for match in _NUMBER.finditer(self._question)}
        if self._levels and numbers:  # levels are known for the categorical columns, so this one is numeric
            return {text: _number(text) for text in sorted(numbers)}
        words = _WORD.findall(_FILE_NAME.sub(" ", self._question))
        words = [word.rstrip(".:") or word for word in words]
        spans = {" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}
        return {**{text: text for text in sorted(spans - numbers)}, **{text: _number(text) for text in sorted(numbers)}}

    def _choose(self, slot: str, lead: str, options: Sequence[str]) -> str:
        self._text.append(lead + '"')
        pieces = {_inner(option) + '"': option for option in options}
        return pieces[self._take(slot, list(pieces))]

    def _choose_or_end(self, slot: str, lead: str, options: Sequence[str], *, may_end: bool) -> str | None:
        pieces: dict[str, str | None] = {f'{lead}"{_inner(option)}"': option for option in options}
        if may_end:
            pieces["}"] = None
        return pieces[self._take(slot, list(pieces))]

    def _take(self, slot: str, pieces: list[str]) -> str:
        log_probs = self._text.log_probs(pieces)
        best = int(np.argmax(log_probs))
        self.confidence[slot] = float(np.exp(log_probs[best] - np.logaddexp.reduce(log_probs)))
        self._text.append(pieces[best])
        return pieces[best]


def _inner(text: str) -> str:
    """A text as it stands between the quotes of a JSON text."""
    return quoted(text)[1:-1]


def _number(text: str) -> Scalar:
    value = float(text)
    return int(value) if value.is_integer() and "." not in text else value


def _nearest(question: str, columns: Sequence[str]) -> list[str]:
    """The columns whose names are closest to the question's words, in the file's order."""
    from rapidfuzz import fuzz, utils

    score: Callable[[str], float] = lambda name: fuzz.partial_token_set_ratio(  # noqa: E731 - a key function
        name.replace("_", " "), question, processor=utils.default_process
    )
    kept = set(sorted(columns, key=score, reverse=True)[:MOST_COLUMNS])
    return [name for name in columns if name in kept]
