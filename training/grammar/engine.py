"""A small template language: ``[a|b|]`` chooses, ``<rule>`` inserts a shared rule, ``{slot}`` waits to be filled.

Alternatives nest. The same template and the same draws give the same text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np

FamilyTask = Literal["CGL", "ATE", "HTE", "MA", "OPO", "NONE"]
Split = Literal["train", "held_out"]
Item = TypeVar("Item")
_TOKEN = re.compile(r"[\[\]|]|<(\w+)>|[^\[\]|<]+")
_SLOT = re.compile(r"\{(\w+)\}")


class TemplateError(ValueError):
    """A template cannot be read; the message quotes it."""


class Draws:
    """Choices from one random stream: each call takes the next number of the stream."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._numbers = iter(generator.random(256).tolist())
        self._generator = generator

    def number(self) -> float:
        """A number in [0, 1)."""
        found = next(self._numbers, None)
        if found is None:
            self._numbers = iter(self._generator.random(256).tolist())
            found = next(self._numbers)
        return float(found)

    def chance(self, probability: float) -> bool:
        return self.number() < probability

    def below(self, bound: int) -> int:
        return int(self.number() * bound)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[Item]) -> Item:
        return options[self.below(len(options))]

    def sample(self, options: Sequence[Item], count: int) -> list[Item]:
        """``count`` different options (all of them if there are fewer), in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


@dataclass(frozen=True)
class Choice:
    """Alternatives of which one is taken."""

    options: tuple[Sequenced, ...]


@dataclass(frozen=True)
class Reference:
    """A shared rule, by name."""

    rule: str


@dataclass(frozen=True)
class Sequenced:
    """Parts said one after the other."""

    parts: tuple[str | Choice | Reference, ...]


@dataclass(frozen=True)
class Family:
    """One way to ask: a stable id, the task it asks for, and the side of the split that it belongs to."""

    id: str
    task: FamilyTask
    split: Split
    template: str

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(_SLOT.findall(self.template))


@lru_cache(maxsize=2048)
def parse(template: str) -> Sequenced:
    """Read a template into a tree.

    Raises:
        TemplateError: brackets do not match, or a rule is not closed.
    """
    tokens = [match.group(0) for match in _TOKEN.finditer(template)]
    if "".join(tokens) != template:
        raise TemplateError(f"a '<' without its '>' in template {template!r}")
    tree, rest = _sequence(tokens, 0, template, depth=0)
    if rest != len(tokens):
        raise TemplateError(f"a ']' or '|' outside any '[' in template {template!r}")
    return tree


def _sequence(tokens: list[str], start: int, template: str, depth: int) -> tuple[Sequenced, int]:
    parts: list[str | Choice | Reference] = []
    place = start
    while place < len(tokens) and tokens[place] not in "]|":
        piece = tokens[place]
        if piece == "[":
            options: list[Sequenced] = []
            while True:
                option, place = _sequence(tokens, place + 1, template, depth + 1)
                options.append(option)
                if place >= len(tokens):
                    raise TemplateError(f"a '[' is never closed in template {template!r}")
                if tokens[place] == "]":
                    break
            parts.append(Choice(tuple(options)))
        elif piece.startswith("<"):
            parts.append(Reference(piece[1:-1]))
        else:
            parts.append(piece)
        place += 1
    return Sequenced(tuple(parts)), place


def expand(template: str, draws: Draws, rules: Mapping[str, str]) -> str:
    """Take one reading of a template; slots stay as they are.

    Raises:
        TemplateError: the template names a rule that does not exist.
    """
    said: list[str] = []
    _say(parse(template), draws, rules, said)
    return re.sub(r"\s+", " ", "".join(said)).strip()


def _say(tree: Sequenced, draws: Draws, rules: Mapping[str, str], said: list[str]) -> None:
    for part in tree.parts:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, Choice):
            _say(draws.pick(part.options), draws, rules, said)
        elif part.rule in rules:
            _say(parse(rules[part.rule]), draws, rules, said)
        else:
            raise TemplateError(f"no rule <{part.rule}>; there are: {', '.join(sorted(rules))}")


def readings(template: str, rules: Mapping[str, str]) -> int:
    """How many readings a template has, rules included."""

    def count(tree: Sequenced) -> int:
        total = 1
        for part in tree.parts:
            if isinstance(part, Choice):
                total *= sum(count(option) for option in part.options)
            elif isinstance(part, Reference):
                total *= count(parse(rules[part.rule]))
        return total

    return count(parse(template))


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Put values into slots.

    Raises:
        TemplateError: a slot has no value.
    """

    def value(match: re.Match[str]) -> str:
        if match.group(1) not in slots:
            raise TemplateError(f"slot {match.group(0)} of {text!r} has no value; given: {', '.join(sorted(slots))}")
        return slots[match.group(1)]

    return _SLOT.sub(value, text)
