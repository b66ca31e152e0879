"""CGL: the causal graph that the data support, edges left undirected where they do not say which way."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from causal_tools import lingam
from causal_tools.contract import CausalQuery, Edge, GraphResult
from causal_tools.covariates import independent_features
from causal_tools.data import describe_columns
from causal_tools.errors import EstimationRefused
from causal_tools.independence import MIXED_TEST, NodeTable, node_table, register_mixed_test
from causal_tools.randomness import child_seed, seeded

FEWEST_ROWS = 50
MOST_NODES = 60
MANY_NODES = 12
DEEPEST_WHEN_MANY = 4
RESAMPLES = 20
NODES_TO_RESAMPLE = 8
ROWS_TO_RESAMPLE = 10_000
TEST_NAMES = {"fisherz": "Fisher-z tests", "gsq": "G-squared tests", MIXED_TEST: "generalised covariance measure tests"}
UNUSABLE = {
    "identifier": "one value a row",
    "text": "free text",
    "constant": "constant",
    "empty": "empty",
    "unsupported": "holds lists or objects",
}


def learn_graph(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> GraphResult:
    """Edges among the nodes: LiNGAM where tests support it, else PC; the method names the one that ran.

    Columns are taken in alphabetical order, so that the answer does not depend on theirs in the file.

    Raises:
        EstimationRefused: too few rows or nodes, or columns that determine each other.
    """
    notes: list[str] = []
    rows = _usable_rows(query, frame, notes)
    table = node_table(rows)
    alpha = 0.01 if len(rows) >= 1000 else 0.05
    own = child_seed(seed, "graph")
    with seeded(own):
        linear = _linear_model(table, own)
        skeleton = _run_pc(table, alpha)
        use_linear = linear is not None and linear.supported
        marks = _marks_of_weights(linear.weights, table.names) if linear and use_linear else skeleton
        weights = linear.weights if linear and use_linear else _weights_of_marks(table, skeleton)
        frequencies = _frequencies(table, linear.name if linear and use_linear else None, alpha, own)
    edges = [
        Edge(source=source, target=target, mark=mark, weight=_weight(weights, table.names, source, target, mark))  # type: ignore[arg-type]
        for (source, target), mark in sorted(marks.items())
    ]
    diagnostics: dict[str, Any] = {
        "nodes": table.names,
        "significance_level": alpha,
        "independence_test": TEST_NAMES[table.test],
    }
    if linear is not None:
        diagnostics["lingam_supported"] = linear.supported
        diagnostics |= linear.evidence
    if use_linear:
        diagnostics["pc_edges"] = [f"{source} {mark} {target}" for (source, target), mark in sorted(skeleton.items())]
    if frequencies:
        diagnostics["edge_frequencies"] = {
            str(edge): frequencies.get((edge.source, edge.target, edge.mark), 0.0) for edge in edges
        }
    depth = f", at most {DEEPEST_WHEN_MANY} columns conditioned on" if len(table.names) > MANY_NODES else ""
    method = (
        f"{linear.name} (causal-learn), least-squares weights"
        if linear and use_linear
        else f"PC, stable (causal-learn), {TEST_NAMES[table.test]} at level {alpha:g}{depth}"
    )
    return GraphResult(
        query=query,
        method=method,
        estimate=float(len(edges)),
        n_rows=len(rows),
        edges=edges,
        assumptions=_assumptions(use_linear, table),
        diagnostics=diagnostics,
        warnings=[*notes, *_warnings(edges, frequencies)],
    )


def _usable_rows(query: CausalQuery, frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    everything = not isinstance(query.nodes, tuple)
    names = sorted(str(label) for label in frame.columns) if everything else sorted(query.nodes or ())
    kinds = describe_columns(frame[names])
    unusable = {name: UNUSABLE[kinds[name]] for name in names if kinds[name] in UNUSABLE}
    if unusable and not everything:
        name, reason = next(iter(unusable.items()))
        raise EstimationRefused(f"the column {name!r} cannot be a node: {reason}. Leave it out of the nodes.")
    if unusable:
        notes.append("columns set aside: " + "; ".join(f"{name} ({reason})" for name, reason in unusable.items()))
    names = [name for name in names if name not in unusable]
    if not 2 <= len(names) <= MOST_NODES:
        raise EstimationRefused(
            f"{len(names)} column(s) can be nodes; a graph is learned from 2 to {MOST_NODES}. "
            + ("Add columns that vary." if len(names) < 2 else "Name the nodes that matter.")
        )
    rows = frame[names].dropna().reset_index(drop=True)
    if len(rows) < len(frame):
        notes.append(f"{len(frame) - len(rows)} of {len(frame)} row(s) lack a value of some node and were left out")
    if len(rows) < max(FEWEST_ROWS, 5 * len(names)):
        raise EstimationRefused(
            f"{len(rows)} complete row(s) for {len(names)} nodes are too few to learn a graph; at least "
            f"{max(FEWEST_ROWS, 5 * len(names))} are needed. Add rows, or name fewer nodes."
        )
    return _without_determined(rows, everything, notes)


def _without_determined(rows: pd.DataFrame, everything: bool, notes: list[str]) -> pd.DataFrame:
    constant = [str(label) for label in rows.columns if rows[label].nunique() < 2]
    numeric = [
        str(label)
        for label in rows.columns
        if pd.api.types.is_numeric_dtype(rows[label]) and str(label) not in constant
    ]
    keep = (
        {numeric[position] for position in independent_features(rows[numeric].to_numpy(dtype=float))}
        if numeric
        else set()
    )
    determined = [label for label in numeric if label not in keep]
    if (determined or constant) and not everything:
        raise EstimationRefused(
            f"the node(s) {', '.join(constant + determined)} are constant or follow exactly from the others, so "
            "independence cannot be tested. Leave them out of the nodes."
        )
    if determined or constant:
        notes.append(f"columns set aside: {', '.join(constant + determined)} (constant, or an exact sum of the others)")
        rows = rows.drop(columns=constant + determined)
    if rows.shape[1] < 2:
        raise EstimationRefused("fewer than two columns vary on their own, so there is no graph to learn. Add columns.")
    return rows


def _linear_model(table: NodeTable, seed: int) -> lingam.LinearModel | None:
    rows, nodes = table.matrix.shape
    amounts = all(len(np.unique(table.matrix[:, column])) > 10 for column in range(nodes))
    if not amounts or nodes > lingam.MOST_NODES or rows < lingam.FEWEST_ROWS:
        return None
    return lingam.fit_lingam(table.matrix, seed)


def _run_pc(table: NodeTable, alpha: float) -> dict[tuple[str, str], str]:
    """Marks by (source, target), the pairs of undirected edges in alphabetical order."""
    from causallearn.search.ConstraintBased.PC import pc

    depth = DEEPEST_WHEN_MANY if len(table.names) > MANY_NODES else None
    extra: dict[str, Any] = {}
    if table.test == MIXED_TEST:
        register_mixed_test()
        extra["categorical"] = table.categorical
    # rule 1 takes each collider's largest p-value, so that one unlucky test does not turn an arrow
    graph = pc(
        table.matrix,
        alpha,
        table.test,
        stable=True,
        uc_rule=1,
        uc_priority=3,
        show_progress=False,
        max_k=depth,
        **extra,
    ).G.graph
    marks: dict[tuple[str, str], str] = {}
    for first in range(len(table.names)):
        for second in range(first + 1, len(table.names)):
            ends = (int(graph[first, second]), int(graph[second, first]))
            pair = (table.names[first], table.names[second])
            if ends == (-1, 1):
                marks[pair] = "-->"
            elif ends == (1, -1):
                marks[pair[::-1]] = "-->"
            elif ends == (-1, -1):
                marks[pair] = "---"
            elif ends == (1, 1):
                marks[pair] = "<->"
    return marks


def _marks_of_weights(weights: np.ndarray, names: list[str]) -> dict[tuple[str, str], str]:
    return {(names[parent], names[child]): "-->" for child, parent in zip(*np.nonzero(weights), strict=True)}


def _weights_of_marks(table: NodeTable, marks: dict[tuple[str, str], str]) -> np.ndarray:
    """Least-squares weights of children all of whose edges are directed; zero elsewhere."""
    position = {name: column for column, name in enumerate(table.names)}
    parents = np.zeros((len(position), len(position)), dtype=bool)
    unsettled: set[str] = set()
    for (source, target), mark in marks.items():
        if mark == "-->":
            parents[position[target], position[source]] = True
        else:
            unsettled |= {source, target}
    if table.test != "fisherz":
        return np.zeros(parents.shape)
    for name in unsettled:
        parents[position[name]] = False
    return lingam.least_squares_weights(table.matrix, parents, prune=False)


def _weight(weights: np.ndarray, names: list[str], source: str, target: str, mark: str) -> float | None:
    value = float(weights[names.index(target), names.index(source)])
    return value if mark == "-->" and value != 0 else None


def _frequencies(
    table: NodeTable, lingam_name: str | None, alpha: float, seed: int
) -> dict[tuple[str, str, str], float]:
    """In what share of resamples each edge came back with the same mark; only for small problems."""
    rows, nodes = table.matrix.shape
    if nodes > NODES_TO_RESAMPLE or rows > ROWS_TO_RESAMPLE:
        return {}
    generator = np.random.default_rng(seed)
    found: Counter[tuple[str, str, str]] = Counter()
    for _ in range(RESAMPLES):
        drawn = NodeTable(table.names, table.matrix[generator.integers(0, rows, rows)], table.categorical)
        if np.any(np.ptp(drawn.matrix, axis=0) == 0):
            continue
        marks = (
            _marks_of_weights(lingam.lingam_weights(lingam_name, drawn.matrix, seed), table.names)
            if lingam_name
            else _run_pc(drawn, alpha)
        )
        found.update((source, target, mark) for (source, target), mark in marks.items())
    return {edge: count / RESAMPLES for edge, count in found.items()}


def _warnings(edges: list[Edge], frequencies: dict[tuple[str, str, str], float]) -> list[str]:
    said = []
    undirected = [str(edge) for edge in edges if edge.mark == "---"]
    if undirected:
        said.append(f"the data do not say which way these edges point: {', '.join(undirected)}")
    conflicting = [str(edge) for edge in edges if edge.mark == "<->"]
    if conflicting:
        said.append(
            f"the tests contradict each other about {', '.join(conflicting)}; a hidden common cause is one explanation"
        )
    shaky = [
        str(edge) for edge in edges if frequencies and frequencies.get((edge.source, edge.target, edge.mark), 0.0) < 0.5
    ]
    if shaky:
        said.append(f"found with this direction in fewer than half of the resamples: {', '.join(shaky)}")
    return said


def _assumptions(use_linear: bool, table: NodeTable) -> list[str]:
    stated = ["no hidden common cause of two nodes", "no cycles"]
    if use_linear:
        return [*stated, "each node is a linear function of its causes plus noise that is not Gaussian"]
    shape = {
        "fisherz": "dependence among the nodes is linear",
        "gsq": "the nodes are categories",
        MIXED_TEST: "dependence shows in means, given cubic terms of the amounts conditioned on",
    }[table.test]
    return [*stated, "independences in the data mirror the graph (faithfulness)", shape]
