"""One or two worlds as a network of factors: the same units, the same noise, other interventions.

A variable whose mechanism and parents are the same in both worlds is one node. One that differs has a node in each, and
the two are tied by the joint law of its levels on shared noise (:mod:`sdscm.coupling`). As that law is known, every
counterfactual of the model is a sum over this network, whatever the graph; none has to be identified from data.

Source: Balke & Pearl (1994), "Probabilistic evaluation of counterfactual queries" (twin networks); nodes are merged as by
the make-cg algorithm of Shpitser & Pearl (2008), "Complete identification methods for the causal hierarchy".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sdscm.coupling import joint_law
from sdscm.elimination import Factor, aligned, check_cells, eliminate
from sdscm.errors import ScenarioError
from sdscm.interventions import is_pinned
from sdscm.noise import Coupling
from sdscm.scenario import Scenario

Node = tuple[str, int]  # a variable, and the world (0 or 1) it is in


@dataclass(frozen=True)
class World:
    """What is done in a world.

    Attributes:
        do: laws that variables follow instead of their own, as :func:`sdscm.interventions.read_do` gives them.
        copied: variables that take the value they have in world 0; only for world 1. This nests counterfactuals.
    """

    do: Mapping[str, np.ndarray] = field(default_factory=dict)
    copied: frozenset[str] = frozenset()


class Network:
    """The joint law of one world, or of two on the same noise.

    A variable under a stochastic intervention keeps its noise: its law is replaced, the unit is not.

    Args:
        scenario: the variables and their order.
        table: gives a variable's conditional law, one axis a parent and then its levels; asked only where needed.
        worlds: one or two.
        coupling: how noise makes levels.
        limit: most cells of any array.
    """

    def __init__(
        self,
        scenario: Scenario,
        table: Callable[[str], np.ndarray],
        worlds: Sequence[World],
        coupling: Coupling,
        limit: int,
    ) -> None:
        self._scenario = scenario
        self._table = table
        self._worlds = worlds
        self._coupling = coupling
        self._limit = limit
        self._node_of: dict[Node, Node] = {}
        self._parents: dict[Node, tuple[Node, ...]] = {}
        for variable in scenario.variables:
            for world in range(len(worlds)):
                self._place(variable.name, world)

    def law(self, asked: Sequence[Node], seen: Mapping[Node, int] | None = None) -> np.ndarray:
        """P(asked | seen), over both worlds.

        Args:
            asked: all different.
            seen: level indices of what was observed, in any of the worlds.

        Returns:
            One axis a variable asked, in that order; sums to 1.

        Raises:
            ScenarioError: what was seen has probability zero.
            TooLarge: an array would have more cells than the limit.
        """
        seen = seen or {}
        sizes = [len(self._scenario[name].levels) for name, _ in asked]
        check_cells(math.prod(sizes), self._limit, "the law asked for has")
        nodes = [self._node_of[node] for node in asked]
        evidence = {self._node_of[node]: level for node, level in seen.items()}
        needed = self._ancestors({*nodes, *evidence})
        known = {**self._pinned(needed), **evidence}
        keep = list(dict.fromkeys(node for node in nodes if node not in known))
        law = eliminate(self._factors(needed, known), keep, self._limit)
        total = law.sum()
        if not total > 0:
            said = ", ".join(f"{name}={self._scenario[name].levels[level]!r}" for (name, _), level in seen.items())
            raise ScenarioError(f"the evidence {said} has probability zero, so nothing can be said given it")
        return _spread(law / total, keep, nodes, known, sizes)

    def _place(self, name: str, world: int) -> None:
        """Give a variable of a world its node: its own, or that of world 0 where the two cannot differ."""
        node, here = (name, world), self._worlds[world]
        parents = () if name in here.do else tuple(self._node_of[p, world] for p in self._scenario[name].parents)
        if world > 0:
            other = self._node_of[name, 0]
            if name in here.copied or (parents == self._parents[other] and self._same_law(name)):
                self._node_of[node] = other
                return
        self._node_of[node] = node
        self._parents[node] = parents

    def _same_law(self, name: str) -> bool:
        first, second = (world.do.get(name) for world in self._worlds)
        if first is None or second is None:
            return first is second
        return np.array_equal(first, second)

    def _ancestors(self, nodes: Iterable[Node]) -> list[Node]:
        """The nodes and all they depend on, parents first; the rest sums to one and is left out."""
        reached: set[Node] = set()
        open_nodes = list(nodes)
        while open_nodes:
            node = open_nodes.pop()
            if node not in reached:
                reached.add(node)
                open_nodes += self._parents[node]
        return [node for node in self._parents if node in reached]

    def _pinned(self, nodes: Iterable[Node]) -> dict[Node, int]:
        laws = {(name, world): self._worlds[world].do.get(name) for name, world in nodes}
        return {node: int(law.argmax()) for node, law in laws.items() if law is not None and is_pinned(law)}

    def _factors(self, needed: list[Node], known: Mapping[Node, int]) -> list[Factor]:
        factors = []
        for name, world in needed:
            twin = (name, 1 - world)
            if twin not in needed:
                factors.append(self._mechanism((name, world)).given(known))
            elif world == 0:
                factors.append(self._tied(name, known))
        return factors

    def _mechanism(self, node: Node) -> Factor:
        """P(node | its parents), of its own law or of the one that replaces it."""
        name, world = node
        law = self._worlds[world].do.get(name)
        return Factor((*self._parents[node], node), self._table(name) if law is None else law)

    def _tied(self, name: str, known: Mapping[Node, int]) -> Factor:
        """P(a variable in world 0, the same in world 1 | its parents in both)."""
        pair = ((name, 0), (name, 1))
        level = object()  # the axis of the variable itself, until the two are tied
        laws = []
        for node in pair:
            mechanism = self._mechanism(node)
            law = Factor((*mechanism.names[:-1], level), mechanism.array)
            laws.append(law.given(known))
        parents = tuple(dict.fromkeys(n for law in laws for n in law.names if n is not level))
        sizes = {n: size for law in laws for n, size in zip(law.names, law.array.shape, strict=True)}
        cells = math.prod(sizes[n] for n in parents) * sizes[level] ** 2
        check_cells(cells, self._limit, f"the law of {name!r} in two worlds has")
        first, second = (aligned(law, (*parents, level)) for law in laws)
        return Factor((*parents, *pair), joint_law(first, second, self._coupling)).given(known)


def _spread(
    law: np.ndarray, keep: list[Node], nodes: list[Node], known: Mapping[Node, int], sizes: list[int]
) -> np.ndarray:
    """Put a law over the kept nodes on one axis a node asked: known ones have all their mass on a level, and a node that
    was asked for in both worlds has its mass on the diagonal."""
    labels = {node: number for number, node in enumerate(keep)}
    used: set[Node] = set()
    operands: list[object] = [law, list(range(len(keep)))]
    axes = []
    free = len(keep)
    for node, size in zip(nodes, sizes, strict=True):
        if node in labels and node not in used:
            used.add(node)
            axes.append(labels[node])
            continue
        if node in labels:
            operands += [np.eye(size), [labels[node], free]]
        else:
            operands += [np.eye(size)[known[node]], [free]]
        axes.append(free)
        free += 1
    return np.einsum(*operands, axes)  # type: ignore[call-overload]
