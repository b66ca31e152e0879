"""Searches over equivalence classes, by causal-learn: PC, FCI where hidden causes are suspected, GES beside them."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import numpy as np

from causal_tools.graph_marks import Marks, marks_of_matrix
from causal_tools.graph_orientation import contested, find_colliders, orient
from causal_tools.independence import IndependenceTest, NodeTable, register_test

MANY_NODES = 12
DEEPEST_WHEN_MANY = 4
MOST_FOR_FCI = 12
FEW_FOR_GES = 8
MOST_FOR_GES = 13
EDGES_A_NODE_FOR_GES = 1.5
MOST_CATEGORICAL_FOR_GES = 7
ROWS_FOR_CATEGORICAL_GES = 20_000
EXTENDED_BIC = 0.5


def deepest(nodes: int) -> int | None:
    """How many columns a test conditions on at most; None is no limit."""
    return DEEPEST_WHEN_MANY if nodes > MANY_NODES else None


def run_pc(tester: IndependenceTest, alpha: float) -> tuple[Marks, list[str]]:
    """Marks by (source, target), the pairs of undirected edges in the nodes' order; and the edges that colliders contest.

    causal-learn's stable skeleton and Meek's rules, with the majority rule for the colliders between them.
    """
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.Meek import meek
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    matrix, names = tester.table.matrix, tester.table.names
    graph = skeleton_discovery(
        matrix, alpha, CIT(matrix, register_test(), tester=tester), True, show_progress=False, max_k=tester.most_given
    )
    colliders = find_colliders(graph, tester, alpha)
    orient(graph, colliders)
    marks = _without_untested(marks_of_matrix(meek(graph).G.graph, names), tester)
    return marks, [f"{names[one]} <-> {names[other]}" for one, other in contested(colliders)]


def run_fci(tester: IndependenceTest, alpha: float) -> Marks:
    """Marks of a partial ancestral graph, which allows hidden common causes."""
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
