"""What was learned about one group of columns that depend on each other, and GES beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from causal_tools.graph_marks import Marks, listed, paired, same_marks, skeleton
from causal_tools.graph_resampling import Frequencies
from causal_tools.graph_search import run_ges
from causal_tools.independence import NodeTable


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
