"""Arrowheads from colliders: which middle nodes of x - y - z are caused by both ends, and where colliders disagree.

Source: Colombo & Maathuis (2014), the majority rule, which does not depend on the order of the nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causallearn.graph.GraphClass import CausalGraph

    from causal_tools.independence import IndependenceTest

MANY_NEIGHBOURS = 10
LARGEST_SET_WHEN_MANY = 2
CLEAR = 0.05


@dataclass(frozen=True)
class Collider:
    """x → y ← z, as the sets that separate x and z say.

    Attributes:
        share: of the separating sets, those without y.
        p_value: the largest with a set without y; with a set that holds y it is below it.
    """

    ends: tuple[int, int]
    middle: int
    share: float
    p_value: float

    @property
    def firm(self) -> bool:
        """No separating set holds the middle, and one separates clearly."""
        return self.share == 1 and self.p_value > CLEAR


def find_colliders(skeleton: CausalGraph, tester: IndependenceTest, alpha: float) -> list[Collider]:
    """Of all unshielded triples, those whose middle is in fewer than half of the sets that separate the ends.

    Sets are taken among the neighbours of either end. Where as many hold the middle as do not, or none separates, the
    largest p-value decides.
    """
    neighbours = {node: {int(other) for other in skeleton.neighbors(node)} for node in range(len(skeleton.G.graph))}
    found = []
    for middle, around in neighbours.items():
        for x, z in combinations(sorted(around), 2):
            if z in neighbours[x]:
                continue
            with_middle: list[float] = []
            without: list[float] = []
            for given in _subsets(neighbours[x]) | _subsets(neighbours[z]):
                (with_middle if middle in given else without).append(tester.p_value(x, z, given))
            votes = sum(p_value > alpha for p_value in without), sum(p_value > alpha for p_value in with_middle)
            best, other = max(without), max(with_middle)
            if votes[0] > votes[1] or (votes[0] == votes[1] and best > other):
                found.append(Collider((x, z), middle, votes[0] / max(1, sum(votes)), best))
    return found


def orient(skeleton: CausalGraph, colliders: list[Collider]) -> None:
    """Turn the colliders' edges into arrows, the clearest first; one that contradicts an arrow is passed over."""
    from causallearn.graph.Edge import Edge
    from causallearn.graph.Endpoint import Endpoint

    graph = skeleton.G
    for collider in sorted(colliders, key=lambda one: (-one.share, -one.p_value, one.middle, one.ends)):
        if any(skeleton.is_fully_directed(collider.middle, end) for end in collider.ends):
            continue
        for end in collider.ends:
            if skeleton.is_undirected(end, collider.middle):
                source, target = graph.nodes[end], graph.nodes[collider.middle]
                graph.remove_edge(graph.get_edge(source, target))
                graph.add_edge(Edge(source, target, Endpoint.TAIL, Endpoint.ARROW))


def contested(colliders: list[Collider]) -> list[tuple[int, int]]:
    """Edges both of whose ends are arrowheads of firm colliders, as a hidden common cause makes them."""
    heads = {(end, one.middle) for one in colliders if one.firm for end in one.ends}
    return sorted((a, b) for a, b in heads if a < b and (b, a) in heads)


def _subsets(nodes: set[int]) -> set[tuple[int, ...]]:
    largest = len(nodes) if len(nodes) <= MANY_NEIGHBOURS else LARGEST_SET_WHEN_MANY
    return {given for size in range(largest + 1) for given in combinations(sorted(nodes), size)}
