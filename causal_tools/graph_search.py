"""Searches by causal-learn (PC, FCI, GES) and the marks of the edges that they give."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from causal_tools.independence import IndependenceTest, register_test

if TYPE_CHECKING:
    from causallearn.graph.GraphClass import CausalGraph

    from causal_tools.graph_rows import NodeTable

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
MOST_SECONDS = 30.0
MOST_NEIGHBOURS = 10
MOST_TRIANGLES = 300
FEW_FOR_GES = 8
MOST_FOR_GES = 13
EDGES_A_NODE_FOR_GES = 1.5
MOST_CATEGORICAL_FOR_GES = 7
ROWS_FOR_CATEGORICAL_GES = 20_000
MOST_FOR_FCI = 12
EXTENDED_BIC = 0.5


class PcGraph(NamedTuple):
    """What PC gives.

    Attributes:
        marks: by (source, target), the pairs of undirected edges in the nodes' order.
        contested: edges that colliders point both ways along.
        closed: whether directions that follow from others were worked out.
    """

    marks: Marks
    contested: list[str]
    closed: bool


def run_pc(tester: IndependenceTest, alpha: float) -> PcGraph:
    """PC's graph, by causal-learn.

    The skeleton is the stable one and colliders are told by the largest p-value (max-p), so that the order of the nodes has
    no say in either.
    """
    from causallearn.utils.PCUtils.Meek import meek
    from causallearn.utils.PCUtils.UCSepset import maxp, uc_sepset

    names = tester.table.names
    graph = _skeleton(tester, alpha)
    # max-p asks about every set of neighbours
    collide = maxp if max(map(len, _neighbours(graph).values())) <= MOST_NEIGHBOURS else uc_sepset
    with redirect_stdout(io.StringIO()):
        strongest, both_ways = collide(graph, 3), collide(graph, 1)
        # Meek's rules, in causal-learn, go over all pairs of triangles
        closed = _triangles(graph) <= MOST_TRIANGLES
        marks = marks_of_matrix((meek(strongest) if closed else strongest).G.graph, names)
    contested = [edge for edge, mark in marks_of_matrix(both_ways.G.graph, names).items() if mark == "<->"]
    return PcGraph(_without_untested(marks, tester), [f"{one} <-> {other}" for one, other in contested], closed)


def _triangles(graph: CausalGraph) -> int:
    edges = np.asarray(graph.G.graph != 0, dtype=float)
    return round(float(np.trace(edges @ edges @ edges)) / 6)


def _skeleton(tester: IndependenceTest, alpha: float) -> CausalGraph:
    """The stable skeleton, deepened while the tests that the next depth may take fit the budget.

    The tests remember their answers, so that a deeper skeleton costs its new tests alone. Where the budget ends, the test's
    ``most_given`` says so.
    """
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    test = CIT(tester.table.matrix, register_test(), tester=tester)
    depth = 0 if tester.most_given is None else tester.most_given
    while True:
        graph = skeleton_discovery(
            tester.table.matrix, alpha, test, True, show_progress=False, max_k=depth, verbose=False
        )
        degrees = [len(some) for some in _neighbours(graph).values()]
        if tester.most_given is not None or max(degrees) - 1 <= depth:
            return graph
        if tester.seconds * sum(degree * comb(degree - 1, depth + 1) for degree in degrees if degree) > MOST_SECONDS:
            tester.most_given = depth
            return graph
        depth += 1


def _neighbours(graph: CausalGraph) -> dict[int, list[int]]:
    return {node: [int(other) for other in graph.neighbors(node)] for node in range(len(graph.G.graph))}


def run_fci(tester: IndependenceTest, alpha: float) -> Marks:
    """Marks of a partial ancestral graph, which allows hidden common causes.

    Source: Spirtes, Meek & Richardson (1995); Zhang (2008).
    """
    from causallearn.search.ConstraintBased.FCI import fci

    with redirect_stdout(io.StringIO()):
        graph, _ = fci(
            tester.table.matrix,
            register_test(),
            alpha,
            depth=-1 if tester.most_given is None else tester.most_given,
            show_progress=False,
            tester=tester,
        )
    return _without_untested(marks_of_matrix(graph.graph, tester.table.names), tester)


def run_ges(table: NodeTable, edges: int) -> Marks | None:
    """Marks by greedy equivalence search, or None where kinds are mixed or the search would take too long.

    Amounts are scored by the extended BIC, whose penalty grows with the nodes as the level of the tests does; categories by BDeu.
    Source: Chickering (2002); Foygel & Drton (2010) for the penalty.

    Args:
        edges: about how many there are; time doubles with every neighbour of a node.
    """
    from causallearn.search.ScoreBased.GES import ges

    rows, nodes = table.matrix.shape
    arguments: dict[str, Any]
    sparse = nodes <= MOST_FOR_GES and edges <= EDGES_A_NODE_FOR_GES * nodes
    if not any(table.categorical) and (nodes <= FEW_FOR_GES or sparse):
        arguments = {
            "cov": np.cov(table.matrix, rowvar=False, ddof=0),
            "n": rows,
            "score_func": "local_score_BIC_from_cov",
            "lambda_value": 0.5 + 2 * EXTENDED_BIC * float(np.log(nodes) / np.log(rows)),
        }
    elif all(table.categorical) and 3 <= nodes <= MOST_CATEGORICAL_FOR_GES and rows <= ROWS_FOR_CATEGORICAL_GES:
        arguments = {"X": table.matrix, "score_func": "local_score_BDeu"}
    else:
        return None
    with redirect_stdout(io.StringIO()):
        graph = ges(**arguments)["G"].graph
    return marks_of_matrix(graph, table.names)


def _without_untested(marks: Marks, tester: IndependenceTest) -> Marks:
    """No edge stands between two nodes of which no test could be computed."""
    position = {name: column for column, name in enumerate(tester.table.names)}
    return {
        (source, target): mark
        for (source, target), mark in marks.items()
        if (min(pair := (position[source], position[target])), max(pair)) in tester.answered
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
