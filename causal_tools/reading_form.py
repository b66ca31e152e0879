"""The form of a reading: what may be written next, whatever has been written so far.

Columns come from the file's header, values from the question or from the column's own levels, so that no reading names what
is not there. A piece is a value with the word that closes it, as tokenizers join these; so each choice also says whether and
how the reading goes on. Columns of a graph and of conditions stand in the order in which the question speaks of them, so that
each set of them is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

from causal_tools.condition_offer import ConditionOffer
from causal_tools.contract import REQUIRED, Condition, Operator, Scalar
from causal_tools.draft import NO_SIGNS, Draft, plus, weighed
from causal_tools.names_said import column_mentions
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
from causal_tools.reading_evidence import Encoder
from causal_tools.reading_signs import ReadingSigns, Signs
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import TASK_ROLES, SecondReading

ROLES = TASK_ROLES
MOST_CONDITIONS = 6

_Closing = tuple[str, ...]


class ReadingForm:
    """What may stand in a reading of one question about one file."""

    def __init__(
        self,
        question: str,
        columns: Sequence[str],
        levels: Mapping[str, Sequence[Scalar]] | None,
        encoder: Encoder | None = None,
        second: SecondReading | None = None,
        weights: Weights | None = None,
    ) -> None:
        self._weights = weights or Weights()
        self.signs = ReadingSigns(question, columns, levels, encoder, second, self._weights)
        self._question = question
        self._columns = list(columns)
        self._levels = levels
        self._offer = ConditionOffer(question, columns, levels)
        self._values_of: dict[str, dict[str, Scalar]] = {}

    def begin(self) -> Draft:
        """Nothing written."""
        return Draft(next=self._tasks)

    def _tasks(self, draft: Draft, room: float) -> list[Draft]:
        grown = []
        for task, word in TASK_WORDS.items():
            chosen = replace(draft, fields={"task": task}, choices=(("task", word),))
            chosen = chosen.with_signs(**self.signs.of_task(task))
            if task == NOT_CAUSAL:
                grown.append(chosen.with_signs(**self.signs.of_no_task()).written(word + END, None))
            elif task == "CGL":
                grown.append(chosen.written(word + ":", partial(self._nodes, ())))
            else:
                grown.append(self._begin_roles(chosen, task, word))
        return grown

    def _begin_roles(self, draft: Draft, task: str, word: str) -> Draft:
        roles = _roles(task)
        if len(self._columns) < len(roles):
            missing = f"task {task} needs {len(roles)} columns ({', '.join(roles)}); the file has {len(self._columns)}"
            return self._broken(draft.written(word + ":", None), missing)
        return draft.written(word + ":", partial(self._role, 0))

    def _role(self, number: int, draft: Draft, room: float) -> list[Draft]:
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
        return self._column(role, ends, after, draft, room)

    def _after_role(self, task: str, role: str, column: str, free: Sequence[str]) -> _Closing:
        """What may follow a column in a role: a condition may, must or cannot come after the last one."""
        if role == "treatment":
            return (ROLE_LINK[task],)
        if task == "MA" and role == "response":
            return (THROUGH,)
        if task in ("ATE", "MA") or not any(self._offer.values[other] for other in free if other != column):
            return (END,)
        return (WHERE,) if task == "HTE" else (WHERE, END)

    def _nodes(self, nodes: tuple[str, ...], draft: Draft, room: float) -> list[Draft]:
        left = self._later(nodes)
        ends: dict[str, _Closing] = dict.fromkeys(left, (NEXT, END) if nodes else (NEXT,))
        ends[left[-1]] = (END,) if nodes else ()
        if not nodes:
            ends[ALL_COLUMNS] = (END,)

        def without(column: str, closed: str) -> Signs:
            if column == ALL_COLUMNS:
                return {}
            kept = {*nodes, column}
            passed = (
                self._passed((*nodes, column)) if closed == NEXT else [one for one in self._columns if one not in kept]
            )
            return self.signs.of_nodes_passed(passed)

        def after(then: Draft, column: str, closed: str) -> Draft:
            grown = (*nodes, column)
            if closed == NEXT:
                return replace(then, next=partial(self._nodes, grown))
            every = grown == (ALL_COLUMNS,)
            return self._ended(replace(then, fields={**then.fields, "nodes": "all" if every else grown}))

        return self._column(f"node {len(nodes) + 1}", ends, after, draft, room, without)

    def _where(self, number: int, draft: Draft, room: float) -> list[Draft]:
        """The column of a condition."""
        done = draft.fields.get("conditions", ())
        before = tuple(condition.column for condition in done)
        free = set(self._free(draft))
        ends: dict[str, _Closing] = {
            name: (IS,) for name in self._later(before) if name in free and self._offer.values[name]
        }

        def without(column: str, closed: str) -> Signs:
            return self.signs.of_conditions_passed(self._passed((*before, column)), done, column)

        def after(then: Draft, column: str, closed: str) -> Draft:
            return replace(then, next=partial(self._operator, number, column))

        return self._column(f"where {number}", ends, after, draft, room, without)

    def _operator(self, number: int, column: str, draft: Draft, room: float) -> list[Draft]:
        return [
            replace(draft, choices=(*draft.choices, (f"is {number}", OPERATOR_WORDS[operator]))).written(
                f" {OPERATOR_WORDS[operator]}", partial(self._value, number, column, operator, ())
            )
            for operator in self._offer.operators(column)
            if self._values(column, operator)
        ]

    def _value(
        self, number: int, column: str, operator: Operator, chosen: tuple[str, ...], draft: Draft, room: float
    ) -> list[Draft]:
        """A value of a condition, several for ``in``, and what closes it."""
        values = self._values(column, operator)
        done = draft.fields.get("conditions", ())
        goes_on = number < MOST_CONDITIONS and any(
            self._offer.values[name]
            for name in set(self._free(draft)).intersection(self._later((*(one.column for one in done), column)))
        )
        after: _Closing = (AND, END) if goes_on else (END,)
        in_order = sorted(values, key=self._place_of_value)
        left = in_order[in_order.index(chosen[-1]) + 1 :] if chosen else in_order
        ranges = self._offer.ranges(column) if operator == ">=" else {}
        ways: dict[str, tuple[str, str]] = {}
        for text in (*left, *ranges):
            closings = after
            if operator == "in":
                last = text == left[-1]
                closings = (*(after if chosen else ()), *(() if last else (OR,)))
            ways |= {f" {text}{closed}": (text, closed) for closed in closings}
        begin = len(draft.text)
        grown = []
        for piece, (text, closed) in ways.items():
            all_chosen = (*chosen, text)
            then = replace(
                draft,
                text=draft.text + piece,
                choices=(*draft.choices, (f"value {number}", text)),
                offered=(*draft.offered, (begin, begin + len(piece), tuple(ways))),
                next=partial(self._value, number, column, operator, all_chosen),
            )
            if closed != OR:
                if text in ranges:
                    own = _between(column, *ranges[text])
                else:
                    held = tuple(values[one] for one in all_chosen) if operator == "in" else values[text]
                    own = (Condition(column=column, operator=operator, value=held),)
                signs = self.signs.of_conditions(own, draft.said.get(column))
                if self.signs.cost(signs) > room or len(all_chosen) == len((self._levels or {}).get(column, ())) > 1:
                    continue  # too dear, or all levels that there are
                whole = replace(then, fields={**draft.fields, "conditions": (*done, *own)}).with_signs(**signs)
                then = replace(whole, next=partial(self._where, number + 1)) if closed == AND else self._ended(whole)
            grown.append(then)
        return grown

    def _values(self, column: str, operator: Operator) -> dict[str, Scalar]:
        """What a condition on a column may take. Where nothing is known of the file these are also words of the question: those
        that are clearest of the column, and which have no order."""
        if self._levels is not None:
            return self._offer.values[column]
        if column not in self._values_of:
            values = self._offer.values[column]
            texts = [text for text, value in values.items() if isinstance(value, str)]
            no_names = [text for text in texts if not column_mentions(text, self._columns)]
            passed = set(texts).difference(self.signs.likely.clearest(no_names, column))
            self._values_of[column] = {text: value for text, value in values.items() if text not in passed}
        kept = self._values_of[column]
        ordered = operator not in ("=", "!=", "in")
        return {text: value for text, value in kept.items() if not (ordered and isinstance(value, str))}

    def _column(
        self,
        slot: str,
        ends: Mapping[str, _Closing],
        after: Callable[[Draft, str, str], Draft],
        draft: Draft,
        room: float,
        without: Callable[[str, str], Signs] | None = None,
    ) -> list[Draft]:
        """A column by its name, or after words of the question that may stand for it.

        Args:
            without: what counts against passing others over for a column that is closed so, in place of what the draft has due.
        """
        grown = []
        room += weighed(draft.due, self._weights)
        for name, closings in ends.items():
            dues = {closed: plus(NO_SIGNS, without(name, closed)) if without else NO_SIGNS for closed in closings}
            for words, signs, cost in self.signs.ways_to_say(slot, name) if closings else ():
                for closed, due in dues.items():
                    if cost + weighed(due, self._weights) > room:
                        continue
                    written = f" {words}{MEANS} {name}" if words else f" {name}"
                    begin = len(draft.text)
                    place = (begin, begin + len(written) - len(name) - 1)
                    then = replace(
                        draft,
                        text=f"{draft.text}{written}{closed}",
                        signs=plus(draft.signs, signs | self.signs.of_words(words, name, draft)),
                        due=due,
                        choices=(*draft.choices, (slot, name)),
                        said={**draft.said, name: words} if words else draft.said,
                        heard={**draft.heard, **self.signs.share_in(slot, name)},
                        given=(*draft.given, place) if words else draft.given,
                        next=None,
                    )
                    grown.append(after(then, name, closed))
        return grown

    def _ended(self, draft: Draft) -> Draft:
        """The whole reading, with what it leaves out held against it."""
        return replace(draft, signs=plus(draft.signs, self.signs.of_whole(draft)), next=None, due=NO_SIGNS)

    def _broken(self, draft: Draft, fault: str) -> Draft:
        """A reading of which no query can come."""
        return replace(self._ended(draft).with_signs(broken_off=1.0), fault=fault)

    def _free(self, draft: Draft) -> list[str]:
        used = draft.used
        return [name for name in self._columns if name not in used]

    @cached_property
    def _in_order(self) -> list[str]:
        """The columns as the question speaks of them; those that it does not speak of come last."""
        return sorted(self._columns, key=self.signs.likely.place)

    def _later(self, columns: Sequence[str]) -> list[str]:
        """The columns that come after all of these in the order of the question."""
        return self._in_order[1 + max((self._in_order.index(column) for column in columns), default=-1) :]

    def _passed(self, columns: Sequence[str]) -> list[str]:
        """The columns that come before the last of these and are none of them: nothing can be written of them any more."""
        before = self._in_order[: self._in_order.index(columns[-1])]
        return [column for column in before if column not in columns]

    def _place_of_value(self, text: str) -> int:
        """Where the question says a value; behind it where it does not."""
        place = self._question.casefold().find(text.casefold())
        return place if place >= 0 else len(self._question)


def _between(column: str, low: Scalar, high: Scalar) -> tuple[Condition, ...]:
    return Condition(column=column, operator=">=", value=low), Condition(column=column, operator="<=", value=high)


def _roles(task: str) -> list[str]:
    return [role for role in ROLES if role in REQUIRED[task]]  # type: ignore[index]
