"""The form of a reading: what may be written next, whatever has been written so far.

Columns come from the file's header, values from the question or from the column's own levels, so that no reading names what
is not there. A piece is a value with the word that closes it, as tokenizers join these; so each choice also says whether and
how the reading goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from operator import mul
from typing import Any

from causal_tools.condition_offer import ConditionOffer
from causal_tools.contract import REQUIRED, Condition, Operator, Scalar
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
)
from causal_tools.question_words import NUMBER
from causal_tools.reading_evidence import MOST_LEFT_OUT, SIGNS, Encoder, QuestionEvidence, Weights
from causal_tools.second_reading import TASK_ROLES, SecondReading

ROLES = TASK_ROLES
MOST_CONDITIONS = 3
MOST_WORDS = 12  # that stand for one column
MOST_PHRASES = 2000  # of a question: in a longer one, fewer words stand for one column
_MARKS = " .,;:?!()[]\"'“”‘’`"
COLUMN_SLOTS = frozenset({*ROLES, "node", "where"})
_NO_SIGNS = (0.0,) * len(SIGNS)

_Closing = tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A reading as far as it is written.

    Attributes:
        text: what is written.
        log_prob: nats, under the language model.
        signs: against this reading, as of :class:`causal_tools.reading_evidence.Weights`.
        fields: of the query, as far as they are known.
        said: by column, the question's words that were taken for it.
        choices: slot and what fills it, in order.
        heard: by slot of a column, how likely the second readers find what fills it.
        next: what may be written next; None where the reading is whole.
        fault: why no query can come of it.
    """

    text: str = ""
    log_prob: float = 0.0
    signs: tuple[float, ...] = _NO_SIGNS
    fields: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[tuple[str, str], ...] = ()
    heard: Mapping[str, float] = field(default_factory=dict)
    next: Callable[[Draft], list[Step]] | None = None
    fault: str | None = None

    @property
    def task(self) -> str:
        """One of the five, or NONE; empty while it is open."""
        return str(self.fields.get("task", ""))

    def score(self, weights: Weights) -> float:
        """Weighted log-probability less what speaks against the reading."""
        return weights.model * self.log_prob - sum(map(mul, weights.of_signs, self.signs))

    @property
    def query(self) -> tuple[tuple[str, object], ...]:
        """What is asked for, whatever words were taken for it and in whatever order; the same for readings of one query."""
        return tuple((name, _unordered(held)) for name, held in self.fields.items())

    def with_signs(self, **signs: float) -> Draft:
        """The draft with more against it."""
        return replace(
            self, signs=tuple(old + signs.get(name, 0.0) for name, old in zip(SIGNS, self.signs, strict=True))
        )


@dataclass(frozen=True)
class Step:
    """A piece that may be written next, and what the draft is then (its log-probability still without the piece's)."""

    piece: str
    then: Draft


class ReadingForm:
    """What may stand in a reading of one question about one file."""

    def __init__(
        self,
        question: str,
        columns: Sequence[str],
        levels: Mapping[str, Sequence[Scalar]] | None,
        encoder: Encoder | None = None,
        second: SecondReading | None = None,
    ) -> None:
        self._second = second
        self.evidence = QuestionEvidence(question, columns, levels, encoder)
        self._question = question
        self._columns = list(columns)
        self._offer = ConditionOffer(question, columns, levels)

    def begin(self) -> Draft:
        """Nothing written."""
        return Draft(next=self._tasks)

    def _tasks(self, draft: Draft) -> list[Step]:
        steps = []
        for task, word in TASK_WORDS.items():
            chosen = replace(draft, fields={"task": task}, choices=(("task", word),))
            if self._second:
                chosen = chosen.with_signs(second_task=self._second.against_task(task))
            if task == NOT_CAUSAL:
                nothing_held = self.evidence.left_out((), (), ())
                steps.append(_step(chosen.with_signs(not_causal=1.0, **nothing_held), word + END, None))
            elif task == "CGL":
                steps.append(_step(chosen, word + ":", partial(self._nodes, ())))
            else:
                steps.append(self._begin_roles(chosen, task, word))
        return steps

    def _begin_roles(self, draft: Draft, task: str, word: str) -> Step:
        roles = _roles(task)
        if len(self._columns) < len(roles):
            missing = f"task {task} needs {len(roles)} columns ({', '.join(roles)}); the file has {len(self._columns)}"
            return Step(word + ":", self._broken(replace(draft, text=word + ":"), missing))
        return _step(draft, word + ":", partial(self._role, 0))

    def _role(self, number: int, draft: Draft) -> list[Step]:
        """The column in a role: treatment, response or mediator."""
        roles = _roles(draft.task)
        role = roles[number]
        free = self._free(draft)

        def after(then: Draft, column: str, closed: str) -> Draft:
            then = replace(then, fields={**then.fields, role: column})
            if number + 1 < len(roles):
                return replace(then, next=partial(self._role, number + 1))
            if closed == WHERE:
                return replace(then, next=partial(self._where, 1))
            if draft.task == "HTE":
                none = "the question asks for an effect under a condition, but names no value that a column could have"
                return self._broken(then, none)
            return self._ended(then)

        ends = {column: self._after_role(draft.task, role, column, free) for column in free}
        return self._column(role, ends, after, draft)

    def _after_role(self, task: str, role: str, column: str, free: Sequence[str]) -> _Closing:
        """What may follow a column in a role: a condition may, must or cannot come after the last one."""
        if role == "treatment":
            return (ROLE_LINK[task],)
        if task == "MA" and role == "response":
            return (THROUGH,)
        if task in ("ATE", "MA") or not any(self._offer.values[other] for other in free if other != column):
            return (END,)
        return (WHERE,) if task == "HTE" else (WHERE, END)

    def _nodes(self, nodes: tuple[str, ...], draft: Draft) -> list[Step]:
        left = [column for column in self._columns if column not in nodes]
        closing: _Closing = (NEXT,) if not nodes else (END,) if len(left) == 1 else (NEXT, END)
        ends = dict.fromkeys(left, closing) | ({ALL_COLUMNS: (END,)} if not nodes else {})

        def after(then: Draft, column: str, closed: str) -> Draft:
            grown = (*nodes, column)
            if closed == NEXT:
                return replace(then, next=partial(self._nodes, grown))
            every = grown == (ALL_COLUMNS,)
            return self._ended(replace(then, fields={**then.fields, "nodes": "all" if every else grown}))

        return self._column(f"node {len(nodes) + 1}", ends, after, draft)

    def _where(self, number: int, draft: Draft) -> list[Step]:
        """The column of a condition."""
        ends: dict[str, _Closing] = {name: (IS,) for name in self._free(draft) if self._offer.values[name]}

        def after(then: Draft, column: str, closed: str) -> Draft:
            return replace(then, next=partial(self._operator, number, column))

        return self._column(f"where {number}", ends, after, draft)

    def _operator(self, number: int, column: str, draft: Draft) -> list[Step]:
        offered = {op: OPERATOR_WORDS[op] for op in self._offer.operators(column)}
        return [
            _step(
                replace(draft, choices=(*draft.choices, (f"is {number}", word))),
                f" {word}",
                partial(self._value, number, column, operator, ()),
            )
            for operator, word in offered.items()
        ]

    def _value(self, number: int, column: str, operator: Operator, chosen: tuple[str, ...], draft: Draft) -> list[Step]:
        """A value of a condition, several for ``in``, and what closes it."""
        values = self._offer.values[column]
        done = draft.fields.get("conditions", ())
        taken = {condition.column for condition in done} | {column}
        goes_on = number < MOST_CONDITIONS and any(self._offer.values[n] for n in self._free(draft) if n not in taken)
        after: _Closing = (AND, END) if goes_on else (END,)
        left = [text for text in values if text not in chosen]
        if operator == "in":
            after = (OR,) if not chosen else after if len(left) == 1 else (*after, OR)
        steps = []
        for text in left:
            written = replace(draft, choices=(*draft.choices, (f"value {number}", text)))
            all_chosen = (*chosen, text)
            held = tuple(values[one] for one in all_chosen) if operator == "in" else values[text]
            condition = Condition(column=column, operator=operator, value=held)
            against = self.evidence.against_value(column, condition.all_values, draft.said.get(column))
            whole = replace(written, fields={**draft.fields, "conditions": (*done, condition)}).with_signs(
                **(against if operator in ("=", "in") else {}),
                **(self._second.signs_of(condition) if self._second else {}),
            )
            for closed in after:
                if closed == OR:
                    steps.append(
                        _step(written, f" {text}{OR}", partial(self._value, number, column, operator, all_chosen))
                    )
                elif closed == AND:
                    steps.append(_step(whole, f" {text}{AND}", partial(self._where, number + 1)))
                else:
                    steps.append(Step(f" {text}{END}", self._ended(replace(whole, text=f"{whole.text} {text}{END}"))))
        return steps

    def _column(
        self, slot: str, ends: Mapping[str, _Closing], after: Callable[[Draft, str, str], Draft], draft: Draft
    ) -> list[Step]:
        """A column at once, or the question's words for it first."""
        steps = []
        used = _used(draft)
        for name, closings in ends.items():
            is_named = name in self.evidence.named
            unnamed = float(not is_named and name != ALL_COLUMNS)
            overlapping = float(is_named and self.evidence.overlaps(None, draft.said, used, name))
            known = replace(draft, choices=(*draft.choices, (slot, name)))
            known = self._told(known, slot, name).with_signs(unnamed=unnamed, overlapping=overlapping)
            steps += [_written(known, f" {name}{closed}", name, closed, after) for closed in closings]
        pieces = {step.piece for step in steps}
        named = {name: closings for name, closings in ends.items() if name != ALL_COLUMNS}
        steps += [
            _step(draft, piece, partial(self._named, slot, named, after, words))
            for words in self._phrases
            if (piece := f" {words}{MEANS}") not in pieces
        ]
        return steps

    def _named(
        self,
        slot: str,
        ends: Mapping[str, _Closing],
        after: Callable[[Draft, str, str], Draft],
        words: str,
        draft: Draft,
    ) -> list[Step]:
        """The column that the question's words stand for."""
        steps = []
        overlapping = float(self.evidence.overlaps(words, draft.said, _used(draft)))
        for name, closings in ends.items():
            known = replace(draft, choices=(*draft.choices, (slot, name)), said={**draft.said, name: words})
            spelt, meant = self.evidence.unlike(words, name)
            known = self._told(known, slot, name, words).with_signs(
                unlike=spelt, unlike_in_meaning=meant, overlapping=overlapping
            )
            steps += [_written(known, f" {name}{closed}", name, closed, after) for closed in closings]
        return steps

    def _ended(self, draft: Draft) -> Draft:
        """The whole reading, with what it leaves out held against it."""
        used = _used(draft)
        values = [value for condition in draft.fields.get("conditions", ()) for value in condition.all_values]
        signs = self.evidence.left_out(used, values, draft.said.values())
        if draft.fields.get("nodes") == "all":
            signs |= {"left_out": 0.0, "all_despite_names": min(float(len(self.evidence.named)), MOST_LEFT_OUT)}
        if self._second:
            signs |= self._second.signs_of_whole(draft.fields, draft.said.values())
        return replace(draft.with_signs(**signs), next=None)

    def _told(self, draft: Draft, slot: str, column: str, words: str | None = None) -> Draft:
        """With what the second readers say of the last column."""
        if self._second is None:
            return draft
        heard = {**draft.heard, slot: self._second.share_in(slot, column)}
        return replace(draft, heard=heard).with_signs(**self._second.signs_in(slot, column, words))

    def _broken(self, draft: Draft, fault: str) -> Draft:
        """A reading of which no query can come."""
        return replace(self._ended(draft).with_signs(broken_off=1.0), fault=fault)

    def _free(self, draft: Draft) -> list[str]:
        used = _used(draft)
        return [name for name in self._columns if name not in used]

    @cached_property
    def _phrases(self) -> list[str]:
        """The runs of words in the question that may stand for a column, without the marks around them."""
        words = self._question.split()
        starts = range(len(words))
        most = max(1, min(MOST_WORDS, MOST_PHRASES // len(words)))
        runs = (" ".join(words[at : at + n]) for n in range(1, most + 1) for at in starts if at + n <= len(words))
        return list(dict.fromkeys(run for text in runs if (run := text.strip(_MARKS)) and not NUMBER.fullmatch(run)))


def _unordered(held: object) -> object:
    if isinstance(held, Condition):
        return held.column, held.operator, _unordered(held.value)
    return frozenset(map(_unordered, held)) if isinstance(held, tuple) else held


def _roles(task: str) -> list[str]:
    return [role for role in ROLES if role in REQUIRED[task]]  # type: ignore[index]


def _used(draft: Draft) -> frozenset[str]:
    """The columns that a draft holds so far."""
    return frozenset(name for slot, name in draft.choices if slot.partition(" ")[0] in COLUMN_SLOTS)


def _step(draft: Draft, piece: str, following: Callable[[Draft], list[Step]] | None) -> Step:
    return Step(piece, replace(draft, text=draft.text + piece, next=following))


def _written(draft: Draft, piece: str, column: str, closed: str, after: Callable[[Draft, str, str], Draft]) -> Step:
    return Step(piece, after(replace(draft, text=draft.text + piece), column, closed))
