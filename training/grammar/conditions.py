"""Conditions on columns: drawing plausible ones, and saying them as noun phrases, clauses or bare facts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from causal_tools.contract import Operator
from training.grammar.engine import Draws
from training.grammar.mentions import Speaker
from training.topic_library import Level, Variable

UNIT_SHARE = 0.4
WHO_SHARE = 0.45
_SAID: dict[Operator, tuple[str, ...]] = {
    "=": ("{v}", "{v}", "equal to {v}", "exactly {v}"),
    ">": ("above {v}", "over {v}", "more than {v}", "greater than {v}", "higher than {v}", "beyond {v}"),
    ">=": ("at least {v}", "{v} or more", "no less than {v}", "not below {v}", "{v} or higher", "{v} or above"),
    "<": ("below {v}", "under {v}", "less than {v}", "lower than {v}", "smaller than {v}"),
    "<=": ("at most {v}", "{v} or less", "no more than {v}", "not above {v}", "up to {v}", "{v} or lower"),
}


@dataclass(frozen=True)
class DrawnCondition:
    """A condition before its column is named."""

    variable: Variable
    operator: Operator
    value: Level | tuple[Level, ...]


def written(value: Level) -> str:
    """A value as a question writes it: whole numbers without a decimal point, no thousands separators."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.10g}"
    return str(value)


def draw_condition(variable: Variable, draws: Draws, equality_share: float) -> DrawnCondition:
    """Draw an operator and a value that suit the variable."""
    if variable.discrete:
        return _discrete_condition(variable, draws, equality_share)
    operator: Operator = "=" if draws.chance(equality_share) else draws.pick(("<", "<=", ">", ">="))
    low, high = (float(value) for value in variable.values)
    step = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    step = max(step, 1.0) if variable.kind == "count" or high - low > 20 else step
    drawn = low + (high - low) * (0.15 + 0.7 * draws.number())
    value = round(round(drawn / step) * step, 6)
    return DrawnCondition(variable, operator, int(value) if value.is_integer() else value)


def _discrete_condition(variable: Variable, draws: Draws, equality_share: float) -> DrawnCondition:
    levels = variable.values
    numeric = all(isinstance(level, int | float) for level in levels)
    if variable.kind == "ordinal" and numeric and len(levels) > 2 and not draws.chance(max(equality_share, 0.4)):
        operator: Operator = draws.pick(("<", "<=", ">", ">="))
        inner = levels[1:] if operator in ("<", ">=") else levels[:-1]
        return DrawnCondition(variable, operator, draws.pick(inner))
    if len(levels) > 2 and draws.chance(0.18 * (1 - equality_share)):
        return DrawnCondition(variable, "in", tuple(draws.sample(levels, 2)))
    return DrawnCondition(variable, "=", draws.pick(levels))


class ConditionSpeaker:
    """Says the conditions of one question in the grammatical form that a template asks for."""

    def __init__(self, speaker: Speaker, unit: str, units: str) -> None:
        self.speaker, self.draws, self.unit, self.units = speaker, speaker.draws, unit, units

    def group(self, conditions: Sequence[DrawnCondition]) -> str:
        """Plural noun phrase: 'patients whose age is above 50', 'smokers with weight over 90'."""
        for place, condition in enumerate(conditions):
            coded = self.speaker.columns[condition.variable.name] == condition.variable.code
            said = None if coded else said_without_name(condition, self.units)
            if said and self.draws.chance(WHO_SHARE):
                self.speaker.said[self.speaker.columns[condition.variable.name]] = said
                rest = [*conditions[:place], *conditions[place + 1 :]]
                return f"{said} {self._restriction(rest)}" if rest else said
        noun = self.draws.pick((self.units, self.units, self.units, f"those {self.units}", "rows", "cases"))
        return f"{noun} {self._restriction(conditions)}"

    def one(self, conditions: Sequence[DrawnCondition]) -> str:
        """Singular noun phrase: 'a patient with age 54'."""
        article = "an" if self.unit[0] in "aeio" else "a"
        noun = self.draws.pick((f"{article} {self.unit}", f"{article} {self.unit}", f"some {self.unit}", "a case"))
        return f"{noun} {self._restriction(conditions)}"

    def when(self, conditions: Sequence[DrawnCondition]) -> str:
        """Clause: 'when age is above 50'."""
        word = self.draws.pick(("when", "where", "if", "whenever", "provided that", "given that", "once"))
        return f"{word} {self.facts(conditions)}"

    def facts(self, conditions: Sequence[DrawnCondition]) -> str:
        """Bare statements: 'age is 54 and region is north'."""
        said = self._symbolic if self.draws.chance(0.25) else self._predicate
        return self._join([said(condition) for condition in conditions])

    def _restriction(self, conditions: Sequence[DrawnCondition]) -> str:
        form = self.draws.number()
        if form < 0.5:
            return self._join([f"whose {self._predicate(condition)}" for condition in conditions])
        if form < 0.85:
            return "with " + self._join([self._attribute(condition) for condition in conditions])
        return "where " + self._join([self._symbolic(condition) for condition in conditions])

    def _join(self, said: list[str]) -> str:
        link = self.draws.pick((" and ", " and ", " and ", ", and "))
        return link.join(said) if len(said) < 3 else ", ".join(said[:-1]) + link + said[-1]

    def _predicate(self, condition: DrawnCondition) -> str:
        name = self.speaker.name(condition.variable, plain=True)
        if condition.operator == "in":
            return f"{name} is {self._either(condition)}"
        verb = self.draws.pick(("is", "is", "is", "equals")) if condition.operator == "=" else "is"
        if verb == "equals":
            return f"{name} equals {self._value(condition)}"
        return f"{name} is {self._compared(condition)}"

    def _attribute(self, condition: DrawnCondition) -> str:
        name = self.speaker.name(condition.variable, plain=True)
        if condition.operator == "in":
            return f"{name} {self._either(condition)}"
        if condition.operator == "=":
            numeric = not isinstance(condition.value, str)
            links = (" of ", " equal to ", " = ", " at ") if numeric else (" equal to ", " = ", ": ", " set to ")
            return f"{name}{self.draws.pick(links)}{self._value(condition)}"
        return f"{name} {self._compared(condition)}"

    def _symbolic(self, condition: DrawnCondition) -> str:
        name = self.speaker.name(condition.variable, plain=True)
        if condition.operator == "in":
            return f"{name} in ({', '.join(written(level) for level in _levels(condition))})"
        operator = "==" if condition.operator == "=" and self.draws.chance(0.2) else condition.operator
        gap = self.draws.pick((" ", " ", ""))
        return f"{name}{gap}{operator}{gap}{written(_single(condition))}"

    def _compared(self, condition: DrawnCondition) -> str:
        return self.draws.pick(_SAID[condition.operator]).replace("{v}", self._value(condition))

    def _either(self, condition: DrawnCondition) -> str:
        first, second = (written(level) for level in _levels(condition))
        return self.draws.pick((f"{first} or {second}", f"either {first} or {second}", f"one of {first}, {second}"))

    def _value(self, condition: DrawnCondition) -> str:
        value, unit = written(_single(condition)), condition.variable.unit
        if isinstance(condition.value, str):
            return self.draws.pick((value, value, value, f"'{value}'", f'"{value}"'))
        if unit is None or unit in condition.variable.name or not self.draws.chance(UNIT_SHARE):
            return value
        if unit == "percent":
            return self.draws.pick((f"{value}%", f"{value} %", f"{value} percent"))
        return f"{value} {unit}"


def said_without_name(condition: DrawnCondition, units: str) -> str | None:
    """Who meets a condition, in words that do not name its column: 'smokers', 'patients older than 60'."""
    variable, value = condition.variable, condition.value
    if isinstance(value, tuple):
        return None
    if condition.operator == "=":
        return variable.groups.get(value)
    said = variable.compared.get(condition.operator)  # type: ignore[arg-type]
    return f"{units} {said.replace('{v}', written(value))}" if said else None


def _levels(condition: DrawnCondition) -> tuple[Level, ...]:
    return condition.value if isinstance(condition.value, tuple) else (condition.value,)


def _single(condition: DrawnCondition) -> Level:
    return _levels(condition)[0]
