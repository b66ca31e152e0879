"""From a question to a query: the language model fills the slots of a reading, each from a closed list.

Columns come from the file's header, values from the question or from the column's own levels, so that the model cannot name
what is not there. Each slot takes the candidate of highest probability under the model (chain rule over its tokens and those
of the word that closes it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

import numpy as np

from causal_tools.contract import REQUIRED, CausalQuery, Condition, Scalar, Task
from causal_tools.errors import NotCausal, QueryError
from causal_tools.prompts import (
    ALL_COLUMNS,
    AND,
    END,
    IS,
    MEANS,
    NEXT,
    NOT_CAUSAL,
    OPERATOR_WORDS,
    OR,
    ROLE_LINK,
    TASK_WORDS,
    THROUGH,
    WHERE,
    parse_messages,
)  # fmt: skip

MOST_COLUMNS = 60
MOST_CONDITIONS = 3
MOST_WORDS = 12  # that stand for one column
_MARKS = " .,;:?!()[]\"'“”‘’`"
_FILE_NAME = re.compile(r"[\w\-]+(?:\.[\w\-]+)*\.(?:csv|tsv|txt|parquet|xlsx|xls)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-−+]?\d*\.?\d+")
_WORD = re.compile(r"[^\s\"'“”‘’(),;?!]+")


_Closing = tuple[str, ...]


class ContinuationModel(Protocol):
    """What parsing needs of a language model (see ``lm.LanguageModel``)."""

    def chat_text(self, messages: Sequence[Mapping[str, str]]) -> str: ...

    def continuation(self, text: str) -> Any: ...


@dataclass(frozen=True)
class Reading:
    """A parsed question.

    Attributes:
        query: what will be run.
        said: by column, the question's words that were taken for it, where these are not its name.
        confidence: per slot, the model's probability of the choice among its candidates (at least; candidates that could
            not win count with an upper bound).
        notes: what was assumed or left out.
    """

    query: CausalQuery
    confidence: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)


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
        form.said,
    )


class _Form:
    """The reading being written: which slot comes next, and what may stand in it.

    A candidate is scored with the word that closes it in the reading, as tokenizers join these; so each choice also says
    whether and how the reading goes on.
    """

    def __init__(
        self, text: Any, question: str, columns: list[str], levels: Mapping[str, Sequence[Scalar]] | None
    ) -> None:
        self.confidence: dict[str, float] = {}
        self.said: dict[str, str] = {}
        self._text = text
        self._question = question
        self._phrases = _phrases(question)
        self._columns = columns
        self._levels = levels

    def fill(self) -> dict[str, Any]:
        ends: dict[str, _Closing] = {TASK_WORDS[task]: (":",) for task in get_args(Task)}
        word, _ = self._choose("task", {**ends, TASK_WORDS[NOT_CAUSAL]: (END,)}, space="")
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
        closed = ""
        for role in roles:
            fields[role], closed = self._column(role, {name: self._after(task, role, name, free) for name in free})
            free.remove(fields[role])
        if task == "HTE" and closed == END:
            raise QueryError(
                "the question asks for an effect under a condition, but names no value that a column could have"
            )
        if task in ("HTE", "OPO"):
            fields["conditions"] = self._conditions(free) if closed == WHERE else ()
        return fields

    def _after(self, task: str, role: str, name: str, free: Sequence[str]) -> _Closing:
        """What may follow a column in a role: a condition may, must or cannot come after the last one."""
        if role == "treatment":
            return (ROLE_LINK[task],)
        if task == "MA" and role == "response":
            return (THROUGH,)
        if task in ("ATE", "MA") or not any(self._values(other) for other in free if other != name):
            return (END,)
        return (WHERE,) if task == "HTE" else (WHERE, END)

    def _nodes(self) -> Any:
        nodes: list[str] = []
        closed = NEXT
        while closed == NEXT:
            left = [column for column in self._columns if column not in nodes]
            after: _Closing = (NEXT,) if not nodes else (END,) if len(left) == 1 else (NEXT, END)
            ends = dict.fromkeys(left, after) | ({ALL_COLUMNS: (END,)} if not nodes else {})
            node, closed = self._column(f"node {len(nodes) + 1}", ends)
            nodes.append(node)
        return "all" if nodes == [ALL_COLUMNS] else tuple(nodes)

    def _conditions(self, free: list[str]) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        closed = AND
        while closed == AND:
            number = len(conditions) + 1
            column, _ = self._column(f"where {number}", {name: (IS,) for name in free if self._values(name)})
            free = [name for name in free if name != column]
            candidates = self._values(column)
            words = {word: op for op, word in OPERATOR_WORDS.items() if op != "in" or len(candidates) > 1}
            word, _ = self._choose(f"is {number}", dict.fromkeys(words, ("",)))
            goes_on = number < MOST_CONDITIONS and any(self._values(name) for name in free)
            value, closed = self._value(number, words[word], candidates, (AND, END) if goes_on else (END,))
            conditions.append(Condition(column=column, operator=words[word], value=value))
        return tuple(conditions)

    def _value(
        self, number: int, operator: str, candidates: dict[str, Scalar], after: _Closing
    ) -> tuple[Scalar | tuple[Scalar, ...], str]:
        """The value of a condition, several for ``in``, and what closes it."""
        if operator != "in":
            text, closed = self._choose(f"value {number}", dict.fromkeys(candidates, after))
            return candidates[text], closed
        chosen: list[str] = []
        closed = OR
        while closed == OR:
            left = [text for text in candidates if text not in chosen]
            ends: _Closing = (OR,) if not chosen else after if len(left) == 1 else (*after, OR)
            text, closed = self._choose(f"value {number}", dict.fromkeys(left, ends))
            chosen.append(text)
        return tuple(candidates[text] for text in chosen), closed

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

    def _column(self, slot: str, options: Mapping[str, _Closing]) -> tuple[str, str]:
        """Fill a slot with a column: at once, or after the question's words for it."""
        named = _pieces(options, " ")
        spoken = {piece: words for words in self._phrases if (piece := f" {words}{MEANS}") not in named}
        log_probs = self._text.likely_log_probs([*named, *spoken])
        best = int(np.argmax(log_probs))
        if best < len(named):
            return self._taken(slot, named, log_probs[: len(named)])
        piece, words = list(spoken.items())[best - len(named)]
        self._text.append(piece)
        column, closed = self._choose(slot, {name: ends for name, ends in options.items() if name in self._columns})
        self.said[column] = words
        return column, closed

    def _choose(self, slot: str, options: Mapping[str, _Closing], space: str = " ") -> tuple[str, str]:
        """Fill a slot; returns the option, and what closes it."""
        pieces = _pieces(options, space)
        return self._taken(slot, pieces, self._text.likely_log_probs(list(pieces)))

    def _taken(self, slot: str, pieces: dict[str, tuple[str, str]], log_probs: np.ndarray) -> tuple[str, str]:
        """Write the likeliest piece; the confidence is its option's share among all."""
        best = list(pieces)[int(np.argmax(log_probs))]
        option, closed = pieces[best]
        same = [place for place, (other, _) in enumerate(pieces.values()) if other == option]
        self.confidence[slot] = float(np.exp(np.logaddexp.reduce(log_probs[same]) - np.logaddexp.reduce(log_probs)))
        self._text.append(best)
        return option, closed


def _pieces(options: Mapping[str, _Closing], space: str) -> dict[str, tuple[str, str]]:
    """What may be written: by text, the option and what closes it."""
    return {f"{space}{option}{end}": (option, end) for option, ends in options.items() for end in ends}


def _phrases(question: str) -> list[str]:
    """The runs of words in a question that may stand for a column, without the marks around them."""
    words = question.split()
    runs = (" ".join(words[start : start + n]) for n in range(1, MOST_WORDS + 1) for start in range(len(words) - n + 1))
    return list(dict.fromkeys(run for text in runs if (run := text.strip(_MARKS)) and not _NUMBER.fullmatch(run)))


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
