"""A reading as far as it is written, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import mul
from typing import Any

from causal_tools.contract import Condition
from causal_tools.reading_weights import SIGNS, Weights
from causal_tools.second_reading import TASK_ROLES

COLUMN_SLOTS = frozenset({*TASK_ROLES, "node", "where"})
NO_SIGNS = (0.0,) * len(SIGNS)
_PLACES = {name: place for place, name in enumerate(SIGNS)}


@dataclass(frozen=True)
class Draft:
    """A reading as far as it is written.

    Attributes:
        text: what is written.
        log_prob: nats, under the language model, of all but the question's words that stand for columns.
        signs: against this reading, as of :class:`causal_tools.reading_weights.Weights`.
        fields: of the query, as far as they are known.
        said: by column, the question's words that were taken for it.
        choices: slot and what fills it, in order.
        heard: by slot of a column, how likely the second readers find what fills it.
        due: signs that will count against the reading however it goes on.
        given: where the question's words for a column stand in the text.
        offered: of each value, where it stands in the text and all pieces that might have stood there.
        next: what may be written next, at a cost of so many nats of signs at most (a few dearer ones may be among it); None where
            the reading is whole.
        fault: why no query can come of it.
    """

    text: str = ""
    log_prob: float = 0.0
    signs: tuple[float, ...] = NO_SIGNS
    fields: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[tuple[str, str], ...] = ()
    heard: Mapping[str, float] = field(default_factory=dict)
    due: tuple[float, ...] = NO_SIGNS
    given: tuple[tuple[int, int], ...] = ()
    offered: tuple[tuple[int, int, tuple[str, ...]], ...] = ()
    next: Callable[[Draft, float], list[Draft]] | None = None
    fault: str | None = None

    @property
    def task(self) -> str:
        """One of the five, or NONE; empty while it is open."""
        return str(self.fields.get("task", ""))

    def score(self, weights: Weights) -> float:
        """Weighted log-probability less what speaks against the reading, whatever it goes on with."""
        return weights.model * self.log_prob - weighed(self.signs, weights) - weighed(self.due, weights)

    @property
    def query(self) -> tuple[tuple[str, object], ...]:
        """What is asked for, whatever words were taken for it and in whatever order; the same for readings of one query."""
        return tuple((name, _unordered(held)) for name, held in self.fields.items())

    @property
    def used(self) -> frozenset[str]:
        """The columns that it holds so far."""
        return frozenset(name for slot, name in self.choices if slot.partition(" ")[0] in COLUMN_SLOTS)

    def written(self, piece: str, following: Callable[[Draft, float], list[Draft]] | None) -> Draft:
        """The draft with a piece more."""
        return replace(self, text=self.text + piece, next=following)

    def with_signs(self, **signs: float) -> Draft:
        """The draft with more against it."""
        return replace(self, signs=plus(self.signs, signs))


def plus(signs: tuple[float, ...], more: Mapping[str, float]) -> tuple[float, ...]:
    """Signs in their order, and more by name."""
    grown = list(signs)
    for name, sign in more.items():
        grown[_PLACES[name]] += sign
    return tuple(grown)


def weighed(signs: tuple[float, ...], weights: Weights) -> float:
    """What signs in their order cost, in nats."""
    return sum(map(mul, weights.of_signs, signs))


def _unordered(held: object) -> object:
    if isinstance(held, Condition):
        return held.column, held.operator, _unordered(held.value)
    return frozenset(map(_unordered, held)) if isinstance(held, tuple) else held
