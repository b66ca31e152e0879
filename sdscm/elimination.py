"""Variable elimination: sums over a product of factors, without the joint table.

Source: Koller & Friedman (2009), "Probabilistic Graphical Models", algorithms 9.1 and 9.4 (greedy order, cost min-weight).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdscm.errors import TooLarge


@dataclass(frozen=True)
class Factor:
    """A non-negative function of some discrete variables.

    Attributes:
        names: one a variable, all different.
        array: one axis a variable, in the order of ``names``.
    """

    names: tuple[Hashable, ...]
    array: np.ndarray

    def given(self, known: Mapping[Any, int]) -> Factor:
        """The factor of the remaining variables, where ``known`` gives the others their level indices."""
        at = tuple(known.get(name, slice(None)) for name in self.names)
        return Factor(tuple(name for name in self.names if name not in known), self.array[at])


def check_cells(cells: int, limit: int, what: str) -> None:
    """Refuse an array before it is made.

    Raises:
        TooLarge: ``cells`` is more than ``limit``; the message begins with ``what``, such as "the joint law has".
    """
    if cells > limit:
        raise TooLarge(
            f"{what} {cells:,} cells, more than the limit of {limit:,}; sample rows instead, or raise the limit"
        )


def eliminate(factors: Sequence[Factor], keep: Sequence[Hashable], limit: int) -> np.ndarray:
    """Sum a product of factors over every variable but those kept.

    The next variable summed out is the one whose product of factors has the fewest cells. Factors and sums are scaled by
    their largest entry, so that long products of small probabilities do not vanish.

    Args:
        factors: every kept variable occurs in one of them.
        keep: axes of the result; all different.
        limit: most cells of any intermediate array.

    Returns:
        One axis a kept variable, in the order given, up to a positive constant; all zero where the product is.

    Raises:
        TooLarge: an intermediate array would have more cells than the limit.
    """
    sizes = {name: size for factor in factors for name, size in zip(factor.names, factor.array.shape, strict=True)}
    pending = [Factor(factor.names, _scaled(factor.array)) for factor in factors]
    open_names = [name for name in sizes if name not in set(keep)]
    costs = {name: _cells(_scope(_touching(pending, name)), sizes) for name in open_names}
    while costs:
        name = min(costs, key=costs.__getitem__)  # the first of equals: names come in a fixed order
        check_cells(costs.pop(name), limit, "an array on the way to this law has")
        bucket = _touching(pending, name)
        rest = tuple(other for other in _scope(bucket) if other != name)
        message = Factor(rest, _scaled(_product(bucket, (*rest, name)).sum(axis=-1)))
        pending = [factor for factor in pending if name not in factor.names] + [message]
        for other in rest:
            if other in costs:
                costs[other] = _cells(_scope(_touching(pending, other)), sizes)
    check_cells(math.prod(sizes[name] for name in keep), limit, "the law asked for has")
    return _product(pending, tuple(keep))


def _touching(factors: Sequence[Factor], name: Hashable) -> list[Factor]:
    return [factor for factor in factors if name in factor.names]


def _scope(factors: Sequence[Factor]) -> tuple[Hashable, ...]:
    return tuple(dict.fromkeys(name for factor in factors for name in factor.names))


def _cells(names: Sequence[Hashable], sizes: Mapping[Hashable, int]) -> int:
    return math.prod(sizes[name] for name in names)


def _product(factors: Sequence[Factor], order: tuple[Hashable, ...]) -> np.ndarray:
    """The factors' product, one axis a name of ``order``; smaller factors first, so that most products are small."""
    result = np.ones((1,) * len(order))
    for factor in sorted(factors, key=lambda factor: factor.array.size):
        result = result * aligned(factor, order)
    return result


def aligned(factor: Factor, order: Sequence[Hashable]) -> np.ndarray:
    """The factor's array with one axis a name of ``order``, of length 1 where the factor does not depend on it."""
    places = {name: place for place, name in enumerate(order)}
    axes = sorted(range(len(factor.names)), key=lambda axis: places[factor.names[axis]])
    shape = [1] * len(order)
    for name, size in zip(factor.names, factor.array.shape, strict=True):
        shape[places[name]] = size
    return factor.array.transpose(axes).reshape(shape)


def _scaled(message: np.ndarray) -> np.ndarray:
    largest = message.max()
    return message / largest if largest > 0 else message
