"""What a graph says of data: the independences that it implies (d-separation), all of them or a basis.

Source: Pearl (1988), chapter 3; Koller & Friedman (2009), algorithm 3.1, for what is reached given a set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Literal

Statements = Literal["every", "basis"]

MOST_STATEMENTS = 500  # a check tests every separation up to here; beyond, the basis
MOST_SETS = 20_000  # conditioning sets looked at before giving up, about a second


class TooManySeparations(ValueError):
    """A graph that implies more independences, or needs more sets looked at, than the stated limit."""


@dataclass(frozen=True)
class Statement:
    """``first`` is independent of ``second`` given ``given``, if the graph is right."""

    first: str
    second: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.first} ⫫ {self.second}" + (f" | {', '.join(self.given)}" if self.given else "")


def implied_independences(order: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[Statement]:
    """One statement a missing edge: the later variable against the earlier one, given the later one's parents.

    Together they imply every d-separation of the graph (the ordered local Markov property).

    Args:
        order: the variables, causes before effects.
        edges: (parent, child) pairs.

    Raises:
        ValueError: a variable listed twice, an edge with an unknown end, or one against the order.
    """
    _check(order, edges)
    statements = []
    for place, later in enumerate(order):
        parents = tuple(source for source, target in edges if target == later)
        statements += [Statement(later, earlier, parents) for earlier in order[:place] if earlier not in parents]
    return statements


def all_separations(
    order: Sequence[str], edges: Sequence[tuple[str, str]], most_given: int | None = None, limit: int = 2_000
) -> list[Statement]:
    """Every pair that is not adjacent, with every set that d-separates it.

    Args:
        order: the variables, causes before effects.
        edges: (parent, child) pairs.
        most_given: largest conditioning set; any size by default.
        limit: most statements. Eight variables have at most 1,792.

    Returns:
        Small conditioning sets first; in a statement the later variable first, as in :func:`implied_independences`.

    Raises:
        TooManySeparations: more than ``limit``, or more than ``MOST_SETS`` conditioning sets to look at.
        ValueError: a variable listed twice, an edge with an unknown end, or one against the order.
    """
    _check(order, edges)
    largest = len(order) - 2 if most_given is None else most_given
    found = list(islice(_separations(order, edges, largest), limit + 1))
    if len(found) > limit:
        raise TooManySeparations(
            f"the graph implies more than {limit:,} independences; raise the limit, lower most_given, or take the basis"
        )
    return found


def choose_statements(
    order: Sequence[str], edges: Sequence[tuple[str, str]], statements: Statements | None = None
) -> tuple[list[Statement], str]:
    """The statements that a check is to test, and what to call them.

    Args:
        order: the variables, causes before effects.
        edges: (parent, child) pairs.
        statements: ``every`` separation or the ``basis``; by default every one, and the basis where these are too many.

    Raises:
        TooManySeparations: every one is asked for, and there are more than ``MOST_STATEMENTS``.
    """
    if statements == "basis":
        found = implied_independences(order, edges)
        return found, f"a basis of the independences that the graph implies ({len(found)}, one a missing edge)"
    try:
        found = all_separations(order, edges, limit=MOST_STATEMENTS)
    except TooManySeparations:
        if statements == "every":
            raise
        found = implied_independences(order, edges)
        why = f"there are more than {MOST_STATEMENTS} in all, or too many sets to look at"
        return found, f"a basis of the independences that the graph implies ({len(found)}, one a missing edge; {why})"
    return found, f"every independence that the graph implies ({len(found)})"


def _separations(order: Sequence[str], edges: Sequence[tuple[str, str]], largest: int) -> Iterator[Statement]:
    parents: dict[str, set[str]] = {name: {a for a, b in edges if b == name} for name in order}
    children: dict[str, set[str]] = {name: {b for a, b in edges if a == name} for name in order}
    ancestors: dict[str, set[str]] = {}  # each with itself
    for name in order:
        ancestors[name] = {name}.union(*(ancestors[parent] for parent in parents[name]))
    apart = {
        name: [later for later in order[place + 1 :] if name not in parents[later]] for place, name in enumerate(order)
    }
    looked_at = 0
    for size in range(largest + 1):
        for earlier, others in apart.items():
            if not others:
                continue
            for given in combinations([name for name in order if name != earlier], size):
                looked_at += 1
                if looked_at > MOST_SETS:
                    raise TooManySeparations(
                        f"more than {MOST_SETS:,} conditioning sets of {len(order)} variables to look at; "
                        f"lower most_given, or take the basis"
                    )
                held = set(given)
                above = set().union(*(ancestors[name] for name in given))
                reached = _reached(earlier, held, above, parents, children)
                yield from (Statement(later, earlier, given) for later in others if later not in reached | held)


def _reached(
    source: str, held: set[str], above: set[str], parents: dict[str, set[str]], children: dict[str, set[str]]
) -> set[str]:
    """Variables to which a path from the source is active given ``held``, whose ancestors are ``above``."""
    reached = set()
    seen = set()
    waiting = [(source, True)]  # a variable, and whether it was come to from a child of it
    while waiting:
        step = waiting.pop()
        if step in seen:
            continue
        seen.add(step)
        name, upwards = step
        if name not in held:
            reached.add(name)
            waiting += [(child, False) for child in children[name]]
        if (name not in held) if upwards else (name in above):
            waiting += [(parent, True) for parent in parents[name]]
    return reached


def _check(order: Sequence[str], edges: Sequence[tuple[str, str]]) -> None:
    place = {name: index for index, name in enumerate(order)}
    if len(place) < len(order):
        twice = next(name for index, name in enumerate(order) if name in order[:index])
        raise ValueError(f"the variable {twice!r} is listed twice among {', '.join(order)}; variables must differ")
    for source, target in edges:
        if unknown := [name for name in (source, target) if name not in place]:
            raise ValueError(
                f"the edge {source} → {target} has an unknown end {unknown[0]!r}; known: {', '.join(order)}"
            )
        if place[source] >= place[target]:
            raise ValueError(f"the edge {source} → {target} is against the order {', '.join(order)}")
