"""Which search fits a group of dependent columns, by a stated rule.

1. Amounts only, noise not Gaussian and independent of the causes: LiNGAM, which tells every direction.
2. Amounts only, straight lines and noise of equal variances: the order by variances, which does too.
3. Otherwise PC (``graph_constraints``): Fisher-z tests of amounts in straight lines, G-squared of categories, kernel tests (KCI)
   of few rows of amounts in curves, the covariance measure for the rest; and FCI in its place where a hidden common cause
   is suspected: colliders that contradict each other, or straight lines whose noise stays dependent.
PC and GES run beside, and what they see otherwise is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from causal_tools import graph_linear
from causal_tools.graph_constraints import LearnedGroup, compared_with_ges, learn_by_tests
from causal_tools.graph_linear import LINEARITY_LEVEL, curvature_p_value
from causal_tools.graph_resampling import resampled
from causal_tools.graph_rows import NodeTable
from causal_tools.graph_search import Marks, equivalence_class, listed, marks_of_weights, paired, run_pc, skeleton
from causal_tools.independence import IndependenceTest, TestName

ROWS_FOR_KERNELS = 400
NODES_FOR_KERNELS = 6
FEW_ROWS = 1000


def learn_group(table: NodeTable, one_spread: Callable[[], bool], seed: int, checks: bool) -> LearnedGroup:
    """Apply this module's rule to columns that depend on each other.

    Args:
        one_spread: tells whether all groups of amounts together support equal error variances; a group of two cannot alone.
        checks: whether to run what tests the answer: resamples, and other searches beside.
    """
    evidence: dict[str, Any] = {}
    warnings: list[str] = []
    rows, nodes = table.matrix.shape
    alpha = significance_level(rows, nodes)
    if any(table.categorical):
        name: TestName = "gsq" if all(table.categorical) else "measure"
        return learn_by_tests(table, name, alpha, seed, checks, evidence, warnings)
    model = _lingam(table, seed, evidence, warnings)
    if model:
        return _learned_by_model(table, model, alpha, seed, checks, evidence, warnings)
    curvature = evidence["curvature_p_value"] = curvature_p_value(table.matrix)
    straight = curvature > LINEARITY_LEVEL
    if straight and (nodes > 2 or one_spread()) and (model := _equal_variances(table, evidence)):
        return _learned_by_model(table, model, alpha, seed, checks, evidence, warnings)
    few = rows <= ROWS_FOR_KERNELS and nodes <= NODES_FOR_KERNELS
    name = "fisherz" if straight else "kci" if few else "measure"
    return learn_by_tests(table, name, alpha, seed, checks, evidence, warnings)


def significance_level(rows: int, nodes: int) -> float:
    """Of one test, so that a wrong edge anywhere in a group has a chance of 1 % (5 % below 1,000 rows)."""
    return (0.01 if rows >= FEW_ROWS else 0.05) / max(1, nodes * (nodes - 1) // 2)


def one_spread(table: NodeTable, groups: list[list[int]]) -> bool:
    """Whether noise of equal variances is supported over all amounts, or over those that depend on others.

    A group of two may rest on it only then: two variances meet by chance too easily.
    """
    amounts = [group for group in groups if not any(table.categorical[node] for node in group)]
    choices = (
        [node for group in amounts for node in group],
        [node for group in amounts if len(group) > 1 for node in group],
    )
    return any(
        len(nodes) > 2 and graph_linear.fit_equal_variances(table.matrix[:, sorted(nodes)]).supported
        for nodes in choices
    )


def _lingam(
    table: NodeTable, seed: int, evidence: dict[str, Any], warnings: list[str]
) -> graph_linear.LinearModel | None:
    """LiNGAM's model if its noise supports it."""
    rows, nodes = table.matrix.shape
    if not graph_linear.may_fit(table.matrix):
        return None
    if graph_linear.SECONDS * rows * nodes**2 > graph_linear.MOST_SECONDS:
        warnings.append(f"LiNGAM was not tried: its search on {nodes} nodes and {rows} rows takes too long")
        return None
    model = graph_linear.fit_lingam(table.matrix, seed)
    evidence |= model.evidence | {"lingam_supported": model.supported}
    return model if model.supported else None


def _equal_variances(table: NodeTable, evidence: dict[str, Any]) -> graph_linear.LinearModel | None:
    """The model of equal error variances, if they are equal."""
    model = graph_linear.fit_equal_variances(table.matrix)
    evidence |= model.evidence | {"equal_variances_supported": model.supported}
    return model if model.supported else None


def _learned_by_model(
    table: NodeTable,
    model: graph_linear.LinearModel,
    alpha: float,
    seed: int,
    checks: bool,
    evidence: dict[str, Any],
    warnings: list[str],
) -> LearnedGroup:
    rows, nodes = table.matrix.shape
    marks = marks_of_weights(model.weights, table.names)
    by_variances = model.name == graph_linear.BY_VARIANCES
    if by_variances:
        warnings.append(
            "the directions rest on the units of the columns: the noise of all nodes has the same variance, within what "
            f"{rows} rows can tell; with a column in other units they could not be told"
        )

    def relearn(drawn: NodeTable) -> Marks:
        return marks_of_weights(graph_linear.weights_by(model.name, drawn.matrix, seed), drawn.names)

    found = None
    if checks:
        beside = run_pc(IndependenceTest(table, "fisherz"), alpha).marks
        evidence["pc_edges"] = listed(beside)
        apart = skeleton(beside) ^ skeleton(marks)
        if apart:
            warnings.append(f"PC, run beside, disagrees about an edge between {paired(apart)}")
        compared_with_ges(table, equivalence_class(marks, table.names), model.name, evidence, warnings)
        each = graph_linear.SECONDS_BY_VARIANCES if by_variances else graph_linear.SECONDS
        found, skipped = resampled(table, relearn, each * rows * nodes**2, seed)
        warnings += [skipped] if skipped else []
    noise = "plus noise, and all noise varies equally" if by_variances else "plus noise that is not Gaussian"
    return LearnedGroup(
        table.names,
        marks,
        model.weights,
        f"{model.name}{'' if by_variances else ' (causal-learn)'}, least-squares weights",
        ["no hidden common cause of two nodes", "no cycles", f"each node is a linear function of its causes {noise}"],
        found,
        evidence,
        warnings,
    )
