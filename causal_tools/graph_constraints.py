"""Groups of columns learned by tests of independence: PC, or FCI where a hidden common cause is suspected."""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools import lingam
from causal_tools.graph_group import LearnedGroup, compared_with_ges
from causal_tools.graph_linear import least_squares_weights
from causal_tools.graph_marks import Marks, listed, paired, same_marks, skeleton
from causal_tools.graph_resampling import resampled
from causal_tools.graph_search import (
    DEEPEST_WHEN_MANY,
    EDGES_A_NODE_FOR_GES,
    MOST_FOR_FCI,
    deepest,
    run_fci,
    run_ges,
    run_pc,
)
from causal_tools.independence import TEST_NAMES, IndependenceTest, NodeTable, TestName

# about what one test takes a row; KCI's by the cube of the rows, at its most rows; categories want logistic regressions
SECONDS: dict[TestName, float] = {"fisherz": 0.0, "gsq": 6e-8, "kci": 3e-4, "measure": 2e-7}
SECONDS_WITH_CATEGORIES = 1e-6
SECONDS_OF_DENSE_GES = 0.6
SHAPES: dict[TestName, str] = {
    "fisherz": "dependence among the nodes is linear",
    "gsq": "the nodes are categories",
    "kci": "dependence among the nodes is smooth",
    "measure": "dependence shows in means, spreads or skews, or in products with what is conditioned on",
}


def learn_by_tests(
    table: NodeTable, name: TestName, alpha: float, seed: int, evidence: dict[str, Any], warnings: list[str]
) -> LearnedGroup:
    """PC's graph; FCI's where PC's colliders contradict each other or linear noise stayed dependent in every order.

    Of amounts in straight lines GES's graph is taken where PC's differs from it: effects that nearly cancel make PC drop
    an edge on a single test, while GES weighs the whole graph.

    Args:
        alpha: significance level of one test.
        evidence: what was found before; receives what the tests gave.
        warnings: receives suspicions, failures and disagreements.
    """
    rows, nodes = table.matrix.shape
    tester = IndependenceTest(table, name, deepest(nodes))
    marks, contested = run_pc(tester, alpha)
    evidence |= {"independence_test": TEST_NAMES[name], "significance_level": alpha}
    reason = _suspicion(contested, name == "fisherz" and lingam.noise_stays_dependent(evidence))
    hidden = bool(reason) and nodes <= MOST_FOR_FCI
    scored = False
    if hidden:
        evidence["pc_edges"] = listed(marks)
        marks = run_fci(tester, alpha)
        warnings.append(
            f"a hidden common cause is suspected: {reason}; so FCI was run. Of its marks, 'a o-> b' says that b does not "
            "cause a, 'a <-> b' that a hidden cause drives both, and an 'o' that the data leave this end open"
        )
    elif name in ("fisherz", "gsq"):
        beside = compared_with_ges(table, marks, "PC", evidence, warnings)
        scored = name == "fisherz" and beside is not None and not same_marks(beside, marks)
        if scored and beside is not None:
            evidence["pc_edges"] = listed(marks)
            marks = beside
    else:
        evidence["ges"] = "not run: its scores take straight lines, or categories alone"
    if reason:
        evidence["hidden_common_cause_suspected"] = reason
    if reason and not hidden:
        warnings.append(
            f"{reason}; FCI, which allows hidden common causes, takes up to {MOST_FOR_FCI} nodes and was not run"
        )
    evidence["tests"] = tester.calls
    warnings += _failures(tester, marks, evidence)

    def relearn(drawn: NodeTable) -> Marks:
        if scored:
            return run_ges(drawn, len(marks)) or {}
        again = IndependenceTest(drawn, name, deepest(nodes))
        return run_fci(again, alpha) if hidden else run_pc(again, alpha)[0]

    each = SECONDS_WITH_CATEGORIES if name == "measure" and any(table.categorical) else SECONDS[name]
    dense = scored and len(marks) > EDGES_A_NODE_FOR_GES * nodes
    found, skipped = resampled(table, relearn, SECONDS_OF_DENSE_GES if dense else tester.calls * rows * each, seed)
    warnings += [skipped] if skipped else []
    depth = f", at most {DEEPEST_WHEN_MANY} columns conditioned on" if tester.most_given else ""
    search = "FCI" if hidden else "PC, stable with majority rule"
    by_tests = f"{search} (causal-learn), {TEST_NAMES[name]} at level {alpha:.2g}{depth}"
    return LearnedGroup(
        table.names,
        marks,
        _weights_of_marks(table, marks) if name == "fisherz" and not hidden else np.zeros((nodes, nodes)),
        "GES (causal-learn), extended BIC" if scored else by_tests,
        [
            *([] if hidden else ["no hidden common cause of two nodes"]),
            "no cycles",
            "independences in the data mirror the graph (faithfulness)",
            SHAPES[name],
        ],
        found,
        evidence,
        warnings,
    )


def _suspicion(contested: list[str], dependent_noise: bool) -> str:
    """Why a hidden common cause is suspected, or nothing."""
    if contested:
        return f"the tests point both ways along {', '.join(contested)}"
    return "noise depends on the causes in every linear order tried" if dependent_noise else ""


def _failures(tester: IndependenceTest, marks: Marks, evidence: dict[str, Any]) -> list[str]:
    """Tests that could not be computed removed no edge and made none; where they touch an edge, that is told."""
    if not tester.failed:
        return []
    names = tester.table.names
    evidence["tests_failed"] = sum(tester.failed.values())
    said = [f"{evidence['tests_failed']} of {tester.calls} independence tests could not be computed"]
    standing = {frozenset((names[first], names[second])) for first, second in tester.failed} & skeleton(marks)
    if standing:
        said.append(f"some of them about edges that stand: {paired(standing)}")
    untested = {frozenset((names[first], names[second])) for first, second in {*tester.failed} - tester.answered}
    if untested:
        said.append(f"no edge was drawn where none could: {paired(untested)}")
    return ["; ".join(said)]


def _weights_of_marks(table: NodeTable, marks: Marks) -> np.ndarray:
    """Least-squares weights of children all of whose edges are directed; zero elsewhere."""
    position = {name: column for column, name in enumerate(table.names)}
    parents = np.zeros((len(position), len(position)), dtype=bool)
    unsettled: set[str] = set()
    for (source, target), mark in marks.items():
        if mark == "-->":
            parents[position[target], position[source]] = True
        else:
            unsettled |= {source, target}
    for name in unsettled:
        parents[position[name]] = False
    return least_squares_weights(table.matrix, parents, prune=False)
