"""Which search fits a group of dependent columns, by a stated rule.

1. Amounts only, noise not Gaussian and independent of the causes: LiNGAM, which tells every direction.
2. Amounts only, straight lines and noise of equal variances: the order by variances, which does too.
3. Otherwise PC: Fisher-z tests of amounts in straight lines, G-squared of categories, kernel tests (KCI) of few rows of amounts
   in curves, the covariance measure for the rest; and FCI in its place where a hidden common cause is suspected: colliders
   that contradict each other, or straight lines whose noise stays dependent.
GES runs beside, and what it sees otherwise is told.
"""

from __future__ import annotations

from typing import Any

from causal_tools.graph_constraints import learn_by_tests
from causal_tools.graph_group import LearnedGroup
from causal_tools.graph_linear import LINEARITY_LEVEL, curvature_p_value
from causal_tools.graph_models import learn_by_model
from causal_tools.independence import NodeTable, TestName

ROWS_FOR_KERNELS = 400
NODES_FOR_KERNELS = 6
FEW_ROWS = 1000


def learn_group(table: NodeTable, one_spread: bool, seed: int) -> LearnedGroup:
    """Apply this module's rule to columns that depend on each other.

    Args:
        one_spread: whether all groups of amounts together support equal error variances; a group of two cannot alone.
    """
    evidence: dict[str, Any] = {}
    warnings: list[str] = []
    rows, nodes = table.matrix.shape
    alpha = significance_level(rows, nodes)
    if any(table.categorical):
        name: TestName = "gsq" if all(table.categorical) else "measure"
        return learn_by_tests(table, name, alpha, seed, evidence, warnings)
    curvature = evidence["curvature_p_value"] = curvature_p_value(table.matrix)
    straight = curvature > LINEARITY_LEVEL
    learned = learn_by_model(table, straight and (nodes > 2 or one_spread), alpha, seed, evidence, warnings)
    if learned:
        return learned
    few = rows <= ROWS_FOR_KERNELS and nodes <= NODES_FOR_KERNELS
    return learn_by_tests(
        table, "fisherz" if straight else "kci" if few else "measure", alpha, seed, evidence, warnings
    )


def significance_level(rows: int, nodes: int) -> float:
    """Of one test, so that a wrong edge anywhere in a group has a chance of 1 % (5 % below 1,000 rows)."""
    return (0.01 if rows >= FEW_ROWS else 0.05) / max(1, nodes * (nodes - 1) // 2)
