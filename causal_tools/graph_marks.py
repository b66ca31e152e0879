"""Edges of learned graphs as marks: from causal-learn's matrices, from weights, and up to equivalence."""

from __future__ import annotations

from itertools import combinations

import numpy as np

Marks = dict[tuple[str, str], str]
SYMMETRIC = ("---", "<->", "o-o")
# causal-learn's numbers for the ends of an edge
TAIL, ARROW, CIRCLE = -1, 1, 2
_MARKS = {
    (TAIL, ARROW): ("-->", False),
    (ARROW, TAIL): ("-->", True),
    (TAIL, TAIL): ("---", False),
    (ARROW, ARROW): ("<->", False),
    (CIRCLE, ARROW): ("o->", False),
    (ARROW, CIRCLE): ("o->", True),
}


def marks_of_matrix(graph: np.ndarray, names: list[str]) -> Marks:
    """Marks by (source, target) of causal-learn's matrix; of any other pair of ends nothing is claimed (``o-o``)."""
    marks: Marks = {}
    for first, second in combinations(range(len(names)), 2):
        ends = (int(graph[first, second]), int(graph[second, first]))
        if ends != (0, 0):
            mark, turned = _MARKS.get(ends, ("o-o", False))
            pair = (names[first], names[second])
            marks[pair[::-1] if turned else pair] = mark
    return marks


def marks_of_weights(weights: np.ndarray, names: list[str]) -> Marks:
    """An arrow for every weight that is not zero; rows are children, columns parents."""
    return {(names[parent], names[child]): "-->" for child, parent in zip(*np.nonzero(weights), strict=True)}


def equivalence_class(arrows: Marks, names: list[str]) -> Marks:
    """The marks that all graphs equivalent to a directed acyclic one share."""
    from causallearn.graph.Dag import Dag
    from causallearn.graph.Edge import Edge
    from causallearn.graph.Endpoint import Endpoint
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    nodes = {name: GraphNode(name) for name in names}
    graph = Dag(list(nodes.values()))
    for source, target in arrows:
        graph.add_edge(Edge(nodes[source], nodes[target], Endpoint.TAIL, Endpoint.ARROW))
    return marks_of_matrix(dag2cpdag(graph).graph, names)


def skeleton(marks: Marks) -> set[frozenset[str]]:
    """The pairs with an edge."""
    return {frozenset(pair) for pair in marks}


def same_marks(one: Marks, other: Marks) -> bool:
    """Whether two graphs are equal, whichever end of a symmetric edge stands first."""
    return _settled(one) == _settled(other)


def listed(marks: Marks) -> list[str]:
    """Edges as text, sorted."""
    return [f"{source} {mark} {target}" for (source, target), mark in sorted(marks.items())]


def paired(pairs: set[frozenset[str]]) -> str:
    """Pairs in words: ``a and b; c and d``."""
    return "; ".join(sorted(" and ".join(sorted(pair)) for pair in pairs))


def _settled(marks: Marks) -> set[tuple[str, str, str]]:
    return {(*(sorted(pair) if mark in SYMMETRIC else pair), mark) for pair, mark in marks.items()}
