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
from causal_tools.prompts import NOT_CAUSAL, TASK_WORDS, parse_messages, quoted

MOST_COLUMNS = 60
MOST_CONDITIONS = 3
_FILE_NAME = re.compile(r"[\w\-]+(?:\.[\w\-]+)*\.(?:csv|tsv|txt|parquet|xlsx|xls)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-−+]?\d*\.?\d+")
_WORD = re.compile(r"[^\s\"'“”‘’(),;?!]+")


_Closing = tuple[str, ...]
_MORE: _Closing = ('",',)
_STOP: _Closing = ('"}',)
_EITHER: _Closing = (*_MORE, *_STOP)
_BAR: _Closing = (" |",)


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def continuation(self, text: str) -> Any: ...


@dataclass(frozen=True)
class Reading:
    """A parsed question.

    Attributes:
        query: what will be run.
        confidence: per slot, the model's probability of the choice among its candidates (at least; candidates that could
            not win count with an upper bound).
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
        levels: of the categorical columns; the others are then taken for numeric. None where nothing is known of the file.

    Raises:
        QueryError: the question is empty, or the file has too few columns for the task.
        NotCausal: the model reads the question as none of the five tasks.
    """
    if not question.strip():
        raise QueryError("the question is empty. Ask, for example: How does treatment affect outcome?")
    columns = [name for name in dict.fromkeys(columns) if name]  # a header given by hand may repeat or leave out a name
    if len(columns) < 2:
        raise QueryError(
            f"a causal question needs at least two columns; the file has {len(columns)}: {', '.join(columns)}"
        )
    named = _FILE_NAME.search(question)
    notes: list[str] = []
    if len(columns) > MOST_COLUMNS:
        columns = _nearest(question, columns)
        notes.append(
            f"only the {MOST_COLUMNS} columns closest to the question's words were offered to the language model"
        )
    text = model.chat_text(parse_messages(question, columns))
    form = _Form(model.continuation(text), question, list(columns), levels)
    fields = form.fill()
    return Reading(
        CausalQuery.model_validate({"dataset": dataset or (named.group(0) if named else None), **fields}),
        form.confidence,
        notes,
    )


class _Form:
    """The reading being written: which slot comes next, and what may stand in it.

    A candidate is scored with the characters that close it in the reading (a quote and a comma, or a quote and a brace), as
    tokenizers join these; so each choice also says whether the reading goes on.
    """

    def __init__(
        self, text: Any, question: str, columns: list[str], levels: Mapping[str, Sequence[Scalar]] | None
    ) -> None:
        self.confidence: dict[str, float] = {}
        self._text = text
        self._question = question
        self._columns = columns
        self._levels = levels

    def fill(self) -> dict[str, Any]:
        ends = {TASK_WORDS[task]: _MORE for task in get_args(Task)} | {TASK_WORDS[NOT_CAUSAL]: _STOP}
        word, _ = self._choose("task", '{"task": "', ends)
        task = next(task for task, name in TASK_WORDS.items() if name == word)
        if task == NOT_CAUSAL:
            raise NotCausal(
                "this reads as no causal question. What can be asked: the effect of one column on another, on average or where "
                "a condition holds, through a mediator, which action is best, or the causal graph of the columns"
            )
        if task == "CGL":
            return {"task": task, "nodes": self._nodes()}
        roles = [role for role in ("treatment", "response", "mediator") if role in REQUIRED[task]]  # type: ignore[index]
        if len(self._columns) < len(roles):
            raise QueryError(
                f"task {task} needs {len(roles)} columns ({', '.join(roles)}); the file has {len(self._columns)}"
            )
        free = list(self._columns)
        fields: dict[str, Any] = {"task": task}
        stopped = False
        for role in roles:
            closing = dict.fromkeys(free, _MORE)
            if role == roles[-1]:
                closing = {
                    name: self._closing_of_last_role(task, [other for other in free if other != name]) for name in free
                }
            fields[role], stopped = self._choose(role, f' "{role}": "', closing)
            free.remove(fields[role])
        if task == "HTE" and stopped:
            raise QueryError(
                "the question asks for an effect under a condition, but names no value that a column could have"
            )
        if task in ("HTE", "OPO"):
            fields["conditions"] = () if stopped else self._conditions(free)
        return fields

    def _closing_of_last_role(self, task: str, free: Sequence[str]) -> _Closing:
        """Whether a condition may, must or cannot follow."""
        if task in ("ATE", "MA") or not any(self._values(name) for name in free):
            return _STOP
        return _MORE if task == "HTE" else _EITHER

    def _nodes(self) -> Any:
        nodes: list[str] = []
        stopped = False
        while not stopped:
            left = [column for column in self._columns if column not in nodes]
            closing = _MORE if not nodes else _STOP if len(left) == 1 else _EITHER
            ends = dict.fromkeys(left, closing) | ({"all": _STOP} if not nodes else {})
            node, stopped = self._choose(f"node {len(nodes) + 1}", ' "node": "', ends)
            nodes.append(node)
        return "all" if nodes == ["all"] else tuple(nodes)

    def _conditions(self, free: list[str]) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        stopped = False
        while not stopped:
            number = len(conditions) + 1
            column, _ = self._choose(
                f"where {number}", ' "where": "', {name: _MORE for name in free if self._values(name)}
            )
            free = [name for name in free if name != column]
            candidates = self._values(column)
            operators = [op for op in get_args(Operator) if op != "in" or len(candidates) > 1]
            operator, _ = self._choose(f"is {number}", ' "is": "', dict.fromkeys(operators, _MORE))
            goes_on = number < MOST_CONDITIONS and any(self._values(name) for name in free)
            closing = _EITHER if goes_on else _STOP
            value, stopped = self._value(number, operator, candidates, closing)
            conditions.append(Condition(column=column, operator=operator, value=value))  # type: ignore[arg-type]
        return tuple(conditions)

    def _value(
        self, number: int, operator: str, candidates: dict[str, Scalar], closing: _Closing
    ) -> tuple[Scalar | tuple[Scalar, ...], bool]:
        """The value of a condition; for ``in`` a list, written as one text with bars between its values."""
        slot, lead = f"value {number}", ' "value": "'
        if operator != "in":
            text, stopped = self._choose(slot, lead, dict.fromkeys(candidates, closing))
            return candidates[text], stopped
        chosen: list[str] = []
        while True:
            left = [text for text in candidates if text not in chosen]
            ends = _BAR if not chosen else closing if len(left) == 1 else (*closing, *_BAR)
            text, ending = self._take(slot, lead if not chosen else " ", dict.fromkeys(left, ends))
            chosen.append(text)
            if (ending,) != _BAR:
                return tuple(candidates[text] for text in chosen), ending in _STOP

    def _values(self, column: str) -> dict[str, Scalar]:
        """What may stand as the value of a condition, text to value: the column's levels, else numbers, else phrases."""
        if self._levels is not None and column in self._levels:
            return {str(level): level for level in self._levels[column]}
        numbers = _numbers(self._question)
        if self._levels is not None:
            return numbers
        words = _WORD.findall(_FILE_NAME.sub(" ", self._question))
        words = [word.rstrip(".:") or word for word in words]
        spans = {" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}
        return {**{text: text for text in sorted(spans) if not _NUMBER.fullmatch(text)}, **numbers}

    def _choose(self, slot: str, lead: str, options: Mapping[str, _Closing]) -> tuple[str, bool]:
        """Fill a slot; returns the option, and whether the reading ends with it."""
        option, ending = self._take(slot, lead, options)
        return option, ending in _STOP

    def _take(self, slot: str, lead: str, options: Mapping[str, _Closing]) -> tuple[str, str]:
        self._text.append(lead)
        pieces = {
            _inner(option) + ending: (option, ending) for option, endings in options.items() for ending in endings
        }
        texts = list(pieces)
        log_probs = self._text.likely_log_probs(texts)
        best = texts[int(np.argmax(log_probs))]
        option, ending = pieces[best]
        same = [place for place, text in enumerate(texts) if pieces[text][0] == option]
        self.confidence[slot] = float(np.exp(np.logaddexp.reduce(log_probs[same]) - np.logaddexp.reduce(log_probs)))
        self._text.append(best)
        return option, ending


def _inner(text: str) -> str:
    """A text as it stands between the quotes of a JSON text."""
    return quoted(text)[1:-1]


def _numbers(question: str) -> dict[str, Scalar]:
    """The numbers in a text, each under the one spelling that a reading has for it (``.5`` and ``0.50`` are 0.5)."""
    found = (match.group(0).lstrip("+").replace(",", "").replace("−", "-") for match in _NUMBER.finditer(question))
    values: list[Scalar] = [float(text) if "." in text else int(text) for text in found if np.isfinite(float(text))]
    return {str(value): value for value in sorted(values)}


def _nearest(question: str, columns: Sequence[str]) -> list[str]:
    """The columns whose names are closest to the question's words, in the file's order."""
    from rapidfuzz import fuzz, utils

    score: Callable[[str], float] = lambda name: fuzz.partial_token_set_ratio(  # noqa: E731 - a key function
        name.replace("_", " "), question, processor=utils.default_process
    )
    kept = set(sorted(columns, key=score, reverse=True)[:MOST_COLUMNS])
    return [name for name in columns if name in kept]
