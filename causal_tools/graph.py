"""CGL: the causal graph that the data support, edges left undirected where they do not say which way."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import CausalQuery, Edge, GraphResult
from causal_tools.graph_constraints import LearnedGroup
from causal_tools.graph_learning import learn_group, one_spread, significance_level
from causal_tools.graph_linear import weight_intervals
from causal_tools.graph_rows import NodeTable, node_table, usable_rows
from causal_tools.graph_scores import dependent_groups, pairwise_p_values
from causal_tools.randomness import child_seed, seeded

SHAKY = 0.5
ASSUMED = ["independences in the data mirror the graph (faithfulness)"]


def learn_graph(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> GraphResult:
    """Edges among the nodes; the method names the search that ran.

    Columns that depend on each other form groups, no edge leaves a group, and each is learned by the search that fits it
    (``graph_learning``). Neither the order of the columns nor that of the rows has a say.

    Args:
        checks: whether to run what only tests the answer: resamples, and other searches beside. The edges are the same.

    Raises:
        EstimationRefused: too few rows, too few or too many nodes, or columns that cannot be nodes.
    """
    notes: list[str] = []
    own = child_seed(seed, "graph")
    rows = usable_rows(query, frame, own, notes)
    table = node_table(rows)
    with seeded(own):
        groups = dependent_groups(
            pairwise_p_values(table.matrix, table.categorical), significance_level(*table.matrix.shape)
        )
        tables = [table.only(group) for group in groups if len(group) > 1]
        equally = cache(lambda: one_spread(table, groups))
        learned = [learn_group(part, equally, own, checks) for part in tables]
    edges, intervals = _edges(learned, tables)
    apart = [table.names[group[0]] for group in groups if len(group) == 1]
    said = list(dict.fromkeys(line for group in learned for line in group.warnings))
    return GraphResult(
        query=query,
        method=_method(learned),
        estimate=float(len(edges)),
        n_rows=len(rows),
        edges=edges,
        assumptions=list(dict.fromkeys(line for group in learned for line in group.assumptions)) or ASSUMED,
        diagnostics=_plain(_diagnostics(table.names, apart, learned, edges, intervals)),
        warnings=[*notes, *said, *_warnings(edges, learned)],
    )


def _method(learned: list[LearnedGroup]) -> str:
    if not learned:
        return "Tests of independence between all pairs (rank scores)"
    if len({group.method for group in learned}) == 1:
        return learned[0].method
    return "; ".join(f"{group.method}, for {', '.join(group.names)}" for group in learned)


def _edges(learned: list[LearnedGroup], tables: list[NodeTable]) -> tuple[list[Edge], dict[str, tuple[float, float]]]:
    """All groups' edges, sorted, and the intervals of their weights."""
    edges: list[Edge] = []
    intervals: dict[str, tuple[float, float]] = {}
    for group, part in zip(learned, tables, strict=True):
        position = {name: column for column, name in enumerate(group.names)}
        ends = weight_intervals(part.matrix, group.weights)
        for (source, target), mark in group.marks.items():
            weight = float(group.weights[position[target], position[source]]) if mark == "-->" else 0.0
            edge = Edge(source=source, target=target, mark=mark, weight=weight or None)  # type: ignore[arg-type]
            edges.append(edge)
            if edge.weight is not None:
                intervals[str(edge)] = ends[position[source], position[target]]
    return sorted(edges, key=lambda edge: (edge.source, edge.target)), intervals


def _diagnostics(
    names: list[str],
    apart: list[str],
    learned: list[LearnedGroup],
    edges: list[Edge],
    intervals: dict[str, tuple[float, float]],
) -> dict[str, Any]:
    told: dict[str, Any] = {"nodes": names, "nodes_apart": apart}
    if len(learned) == 1:
        told |= learned[0].evidence
    elif learned:
        told["groups"] = [{"nodes": group.names, "method": group.method, **group.evidence} for group in learned]
    if intervals:
        told["weight_intervals"] = intervals
    for group in learned:
        if group.frequencies:
            told.setdefault("resamples", []).append(
                {"nodes": group.names, "number": group.frequencies.resamples, "rows": group.frequencies.rows}
            )
    told["edge_frequencies"] = {str(edge): share for edge in edges if (share := _share(edge, learned)) is not None}
    told["adjacency_frequencies"] = {
        str(edge): group.frequencies.adjacent.get(frozenset((edge.source, edge.target)), 0.0)
        for edge in edges
        for group in learned
        if group.frequencies and edge.source in group.names
    }
    return {key: value for key, value in told.items() if value not in ([], {})}


def _share(edge: Edge, learned: list[LearnedGroup]) -> float | None:
    """How often the edge came back with its mark; None where its group was not resampled."""
    found = next(group.frequencies for group in learned if edge.source in group.names)
    return found.same.get((edge.source, edge.target, edge.mark), 0.0) if found else None


def _warnings(edges: list[Edge], learned: list[LearnedGroup]) -> list[str]:
    said = []
    undirected = [str(edge) for edge in edges if edge.mark == "---"]
    if undirected:
        said.append(f"the data do not say which way these edges point: {', '.join(undirected)}")
    shaky = [str(edge) for edge in edges if (share := _share(edge, learned)) is not None and share < SHAKY]
    if shaky:
        said.append(f"found with this direction in fewer than half of the resamples: {', '.join(shaky)}")
    return said


def _plain(value: Any) -> Any:
    """Only what JSON has: lists for tuples, Python's numbers for numpy's, None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
