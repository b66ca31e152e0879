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
from causal_tools.draft import NO_SIGNS, Draft, plus
from causal_tools.likely_words import LikelyWords
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
from causal_tools.reading_evidence import MOST_LEFT_OUT, Encoder, QuestionEvidence
from causal_tools.reading_weights import Weights
from causal_tools.second_reading import CONDITION, NODE, TASK_ROLES, SecondReading

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
        self._second = second
        self.evidence = QuestionEvidence(question, columns, levels, encoder)
        self._question = question
        self._columns = list(columns)
        self._levels = levels
        self._offer = ConditionOffer(question, columns, levels)
        self._weights = weights or Weights()
        self._values_of: dict[str, dict[str, Scalar]] = {}
        self._ways_of: dict[tuple[str, str], list[tuple[str, dict[str, float], float]]] = {}
        self.likely = LikelyWords(question, self._columns, self.evidence, second, self._weights)

    def begin(self) -> Draft:
        """Nothing written."""
        return Draft(next=self._tasks)

    def _tasks(self, draft: Draft, room: float) -> list[Draft]:
        grown = []
        for task, word in TASK_WORDS.items():
            chosen = replace(draft, fields={"task": task}, choices=(("task", word),))
            if self._second:
                chosen = chosen.with_signs(second_task=self._second.against_task(task))
            if task == NOT_CAUSAL:
                nothing_held = self.evidence.left_out((), (), {})
                grown.append(chosen.with_signs(not_causal=1.0, **nothing_held).written(word + END, None))
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

        def after(then: Draft, column: str, closed: str) -> Draft:
            grown = (*nodes, column)
            if closed == NEXT:
                due = self._due("second_node", NODE, grown)
                return replace(then, next=partial(self._nodes, grown), due=due)
            every = grown == (ALL_COLUMNS,)
            return self._ended(replace(then, fields={**then.fields, "nodes": "all" if every else grown}))

        return self._column(f"node {len(nodes) + 1}", ends, after, draft, room)

    def _where(self, number: int, draft: Draft, room: float) -> list[Draft]:
        """The column of a condition."""
        before = tuple(condition.column for condition in draft.fields.get("conditions", ()))
        free = set(self._free(draft))
        ends: dict[str, _Closing] = {
            name: (IS,) for name in self._later(before) if name in free and self._offer.values[name]
        }

        def after(then: Draft, column: str, closed: str) -> Draft:
            due = self._due("second_condition", CONDITION, (*before, column), draft.fields.get("conditions", ()))
            return replace(then, next=partial(self._operator, number, column), due=due)

        return self._column(f"where {number}", ends, after, draft, room)

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
                signs = self._second.signs_of(own) if self._second else {}
                if len(own) == 1:
                    signs |= self.evidence.against_operator(own[0])
                if operator in ("=", "in"):
                    signs |= self.evidence.against_value(column, own[0].all_values, draft.said.get(column))
                if self._cost(signs) > room or len(all_chosen) == len((self._levels or {}).get(column, ())) > 1:
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
            passed = set(texts).difference(self.likely.clearest(no_names, column))
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
    ) -> list[Draft]:
        """A column by its name, or after words of the question that may stand for it."""
        grown = []
        used = draft.used
        for name, closings in ends.items():
            for words, signs, cost in self._ways(slot, name) if closings else ():
                if cost > room:
                    continue
                if words or name in self.evidence.named:
                    overlapping = self.evidence.overlaps(words or None, draft.said, used, name)
                    signs = {**signs, "overlapping": float(overlapping)}
                chosen = replace(
                    draft,
                    choices=(*draft.choices, (slot, name)),
                    said={**draft.said, name: words} if words else draft.said,
                    heard={**draft.heard, slot: self._second.share_in(slot, name)} if self._second else draft.heard,
                ).with_signs(**signs)
                piece = f" {name}"
                if words:
                    begin, piece = len(draft.text), f" {words}{MEANS} {name}"
                    place = (begin, begin + len(piece) - len(name) - 1)
                    chosen = replace(chosen, given=(*draft.given, place))
                grown += [after(chosen.written(f"{piece}{closed}", None), name, closed) for closed in closings]
        return grown

    def _ways(self, slot: str, name: str) -> list[tuple[str, dict[str, float], float]]:
        """The words for a column, none where it comes by its name, each with what speaks against it, and its cost in nats."""
        if (slot, name) not in self._ways_of:
            unnamed = float(name not in self.evidence.named and name != ALL_COLUMNS)
            ways = [("", {"unnamed": unnamed})]
            for words, spelt, meant in self.likely.of.get(name, ()):
                ways.append((words, {"unlike": spelt, "unlike_in_meaning": meant}))
            self._ways_of[slot, name] = []
            for words, signs in ways:
                signs |= {"role_denied": float(self.evidence.denies_role(slot, name, words or None))}
                signs |= self._told(slot, name, words or None)
                self._ways_of[slot, name].append((words, signs, self._cost(signs)))
        return self._ways_of[slot, name]

    def _ended(self, draft: Draft) -> Draft:
        """The whole reading, with what it leaves out held against it."""
        used = draft.used
        values = [value for condition in draft.fields.get("conditions", ()) for value in condition.all_values]
        signs = self.evidence.left_out(used, values, draft.said)
        signs["overlapping"] = self.evidence.values_shared(draft.fields.get("conditions", ()))
        if draft.fields.get("nodes") == "all":
            signs |= {"left_out": 0.0, "all_despite_names": min(float(len(self.evidence.named)), MOST_LEFT_OUT)}
        elif draft.task == "CGL":
            signs["list_misfit"] = self.evidence.list_misfits(draft.fields.get("nodes", ()), draft.said)
        if self._second:
            signs |= self._second.signs_of_whole(draft.fields, draft.said)
        return replace(draft.with_signs(**signs), next=None, due=NO_SIGNS)

    def _told(self, slot: str, column: str, words: str | None = None) -> dict[str, float]:
        """What the second readers say against a column, as signs."""
        return self._second.signs_in(slot, column, words) if self._second else {}

    def _cost(self, signs: Mapping[str, float]) -> float:
        """Nats."""
        return sum(getattr(self._weights, name) * sign for name, sign in signs.items())

    def _broken(self, draft: Draft, fault: str) -> Draft:
        """A reading of which no query can come."""
        return replace(self._ended(draft).with_signs(broken_off=1.0), fault=fault)

    def _free(self, draft: Draft) -> list[str]:
        used = draft.used
        return [name for name in self._columns if name not in used]

    @cached_property
    def _in_order(self) -> list[str]:
        """The columns as the question speaks of them; those that it does not speak of come last."""
        return sorted(self._columns, key=self.likely.place)

    def _later(self, columns: Sequence[str]) -> list[str]:
        """The columns that come after all of these in the order of the question."""
        return self._in_order[1 + max((self._in_order.index(column) for column in columns), default=-1) :]

    def _due(
        self, sign: str, slot: str, columns: Sequence[str], conditions: Sequence[Condition] = ()
    ) -> tuple[float, ...]:
        """What passing over columns before the last of these costs in any case."""
        before = self._in_order[: self._in_order.index(columns[-1])]
        without = {*columns}
        if self._second and slot == CONDITION:
            without |= self._second.excused(conditions, columns[-1])
        passed = [column for column in before if column not in without]
        return plus(NO_SIGNS, {sign: self._second.against_leaving(slot, passed)} if self._second else {})

    def _place_of_value(self, text: str) -> int:
        """Where the question says a value; behind it where it does not."""
        place = self._question.casefold().find(text.casefold())
        return place if place >= 0 else len(self._question)


def _between(column: str, low: Scalar, high: Scalar) -> tuple[Condition, ...]:
    return Condition(column=column, operator=">=", value=low), Condition(column=column, operator="<=", value=high)


def _roles(task: str) -> list[str]:
    return [role for role in ROLES if role in REQUIRED[task]]  # type: ignore[index]
