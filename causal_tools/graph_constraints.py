"""Groups of columns learned by tests of independence: PC, or FCI where a hidden common cause is suspected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from causal_tools import graph_linear
from causal_tools.graph_linear import least_squares_weights
from causal_tools.graph_resampling import Frequencies, resampled
from causal_tools.graph_rows import NodeTable
from causal_tools.graph_search import (
    EDGES_A_NODE_FOR_GES,
    MOST_FOR_FCI,
    Marks,
    listed,
    paired,
    run_fci,
    run_ges,
    run_pc,
    same_marks,
    skeleton,
)
from causal_tools.independence import TEST_NAMES, IndependenceTest, TestName

SECONDS_OF_DENSE_GES = 0.6
SHAPES: dict[TestName, str] = {
    "fisherz": "dependence among the nodes is linear",
    "gsq": "the nodes are categories",
    "kci": "dependence among the nodes is smooth",
    "measure": "dependence shows in means, spreads or skews, or in products with what is conditioned on",
}


@dataclass(frozen=True)
class LearnedGroup:
    """The graph of one group of columns.

    Attributes:
        weights: (nodes, nodes), not zero where an edge from column to row has a weight.
        frequencies: how often the edges came back in resamples; None where there were none.
        evidence: what the choice of the search rests on, for the diagnostics.
    """

    names: list[str]
    marks: Marks
    weights: np.ndarray
    method: str
    assumptions: list[str]
    frequencies: Frequencies | None
    evidence: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def compared_with_ges(
    table: NodeTable, marks: Marks, against: str, evidence: dict[str, Any], warnings: list[str]
) -> Marks | None:
    """Greedy equivalence search on the same columns: its graph, if it ran.

    Whether it agrees with ``marks``, found by the method ``against``, goes to the evidence, a difference to the warnings too.
    """
    found = run_ges(table, len(marks))
    if found is None:
        evidence["ges"] = "not run: nodes, edges or rows are too many, or nodes too few"
        return None
    same_edges, same = skeleton(found) == skeleton(marks), same_marks(found, marks)
    evidence["ges"] = {"edges": listed(found), "same_skeleton": same_edges, "same_marks": same}
    if not same_edges:
        warnings.append(f"{against} and GES disagree about an edge between {paired(skeleton(found) ^ skeleton(marks))}")
    elif not same:
        warnings.append(f"{against} and GES agree about the edges and not about all directions")
    return found


def learn_by_tests(
    table: NodeTable,
    name: TestName,
    alpha: float,
    seed: int,
    checks: bool,
    evidence: dict[str, Any],
    warnings: list[str],
) -> LearnedGroup:
    """PC's graph; FCI's where PC's colliders contradict each other or linear noise stayed dependent in every order.

    Of amounts in straight lines GES's graph is taken where PC's differs from it: effects that nearly cancel make PC drop
    an edge on a single test, while GES weighs the whole graph.

    Args:
        alpha: significance level of one test.
        checks: whether to resample, and to run GES where it only stands beside.
        evidence: what was found before; receives what the tests gave.
        warnings: receives suspicions, failures and disagreements.
    """
    nodes = len(table.names)
    tester = IndependenceTest(table, name)
    found_by_pc = run_pc(tester, alpha)
    marks = found_by_pc.marks
    evidence |= {"independence_test": TEST_NAMES[name], "significance_level": alpha}
    reason = _suspicion(found_by_pc.contested, name == "fisherz" and graph_linear.noise_stays_dependent(evidence))
    hidden = bool(reason) and nodes <= MOST_FOR_FCI
    scored = False
    if hidden:
        evidence["pc_edges"] = listed(marks)
        marks = run_fci(tester, alpha)
        warnings.append(f"a hidden common cause is suspected: {reason}; so FCI was run, which allows for one")
    elif name == "fisherz" or (name == "gsq" and checks):
        beside = compared_with_ges(table, marks, "PC", evidence, warnings)
        scored = name == "fisherz" and beside is not None and not same_marks(beside, marks)
        if scored and beside is not None:
            evidence["pc_edges"] = listed(marks)
            marks = beside
    elif checks:
        evidence["ges"] = "not run: its scores take straight lines, or categories alone"
    if reason:
        evidence["hidden_common_cause_suspected"] = reason
    if reason and not hidden:
        warnings.append(
            f"{reason}; FCI, which allows hidden common causes, takes up to {MOST_FOR_FCI} nodes and was not run"
        )
    evidence["tests"] = tester.calls
    if tester.most_given is not None:
        warnings.append(
            f"independence was tested given at most {tester.most_given} column(s) at a time, since more takes too long; some "
            "edges may stand for effects by way of others"
        )
    if not (found_by_pc.closed or hidden or scored):
        warnings.append("directions that follow from others were not worked out, since edges are too many")
    warnings += _failures(tester, marks, evidence)

    def relearn(drawn: NodeTable) -> Marks:
        if scored:
            return run_ges(drawn, len(marks)) or {}
        again = IndependenceTest(drawn, name, tester.most_given)
        return run_fci(again, alpha) if hidden else run_pc(again, alpha).marks

    found = None
    if checks:
        dense = scored and len(marks) > EDGES_A_NODE_FOR_GES * nodes
        seconds = SECONDS_OF_DENSE_GES if dense else tester.calls * tester.seconds
        found, skipped = resampled(table, relearn, seconds, seed)
        warnings += [skipped] if skipped else []
    depth = "" if tester.most_given is None else f", at most {tester.most_given} column(s) conditioned on"
    search = "FCI" if hidden else "PC, stable with the max-p rule"
    level = np.format_float_positional(alpha, 2, fractional=False)
    by_tests = f"{search} (causal-learn), {TEST_NAMES[name]} at level {level}{depth}"
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
