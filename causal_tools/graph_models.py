"""Groups of amounts learned by a linear model that tells every direction, where tests support one."""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools import graph_variances, lingam
from causal_tools.graph_group import LearnedGroup, compared_with_ges
from causal_tools.graph_linear import LinearModel
from causal_tools.graph_marks import Marks, equivalence_class, listed, marks_of_weights, paired, skeleton
from causal_tools.graph_resampling import Frequencies, resampled
from causal_tools.graph_search import deepest, run_pc
from causal_tools.independence import IndependenceTest, NodeTable

# a direction that a quarter of the resamples turn round is no finding
MOST_REVERSED = 0.25


def learn_by_model(
    table: NodeTable,
    may_vary_equally: bool,
    alpha: float,
    seed: int,
    evidence: dict[str, Any],
    warnings: list[str],
) -> LearnedGroup | None:
    """LiNGAM's model if its noise supports it, else that of equal error variances if they are equal, else None.

    Args:
        may_vary_equally: whether equal error variances are to be tried.
        alpha: level of the tests by which PC runs beside.
        evidence: receives what the tests of the models gave.
        warnings: receives what speaks against a model, or was not tried.
    """
    model, noted = _lingam(table, seed, evidence, warnings)
    if model is None and may_vary_equally:
        model, noted = _equal_variances(table, seed, evidence)
    if model is None:
        return None
    marks = marks_of_weights(model.weights, table.names)
    beside, _ = run_pc(IndependenceTest(table, "fisherz", deepest(len(table.names))), alpha)
    evidence["pc_edges"] = listed(beside)
    if skeleton(beside) != skeleton(marks):
        warnings.append(f"PC, run beside, disagrees about an edge between {paired(skeleton(beside) ^ skeleton(marks))}")
    compared_with_ges(table, equivalence_class(marks, table.names), model.name, evidence, warnings)
    found, skipped = noted
    warnings += [skipped] if skipped else []
    by_variances = model.name == graph_variances.NAME
    noise = "plus noise, and all noise varies equally" if by_variances else "plus noise that is not Gaussian"
    if by_variances:
        warnings.append(
            "the directions rest on the units of the columns: the noise of all nodes has the same variance, within what "
            f"{len(table.matrix)} rows can tell; with a column in other units they could not be told"
        )
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


Noted = tuple[Frequencies | None, str]


def _lingam(
    table: NodeTable, seed: int, evidence: dict[str, Any], warnings: list[str]
) -> tuple[LinearModel | None, Noted]:
    rows, nodes = table.matrix.shape
    amounts = all(len(np.unique(column)) > lingam.FEWEST_VALUES for column in table.matrix.T)
    if not amounts or nodes > lingam.MOST_NODES or rows < lingam.FEWEST_ROWS:
        return None, (None, "")
    if lingam.SECONDS * rows * nodes**2 > lingam.MOST_SECONDS:
        warnings.append(f"LiNGAM was not tried: its search on {nodes} nodes and {rows} rows takes too long")
        return None, (None, "")
    model = lingam.fit_lingam(table.matrix, seed)
    evidence |= model.evidence | {"lingam_supported": model.supported}
    if not model.supported:
        return None, (None, "")

    def relearn(drawn: NodeTable) -> Marks:
        return marks_of_weights(lingam.less_dependent_weights(drawn.matrix, seed), drawn.names)

    noted = resampled(table, relearn, lingam.SECONDS * rows * nodes**2, seed)
    turned = _reversed(marks_of_weights(model.weights, table.names), noted[0])
    if turned:
        evidence["lingam_supported"] = False
        warnings.append(f"{model.name} was set aside: many resamples turn {', '.join(turned)} round")
        return None, (None, "")
    return model, noted


def _reversed(marks: Marks, found: Frequencies | None) -> list[str]:
    return [
        f"{source} --> {target}"
        for source, target in sorted(marks)
        if found and found.same.get((target, source, "-->"), 0.0) >= MOST_REVERSED
    ]


def _equal_variances(table: NodeTable, seed: int, evidence: dict[str, Any]) -> tuple[LinearModel | None, Noted]:
    model = graph_variances.fit_equal_variances(table.matrix)
    evidence |= model.evidence | {"equal_variances_supported": model.supported}
    if not model.supported:
        return None, (None, "")

    def relearn(drawn: NodeTable) -> Marks:
        return marks_of_weights(graph_variances.equal_variance_weights(drawn.matrix), drawn.names)

    return model, resampled(table, relearn, 0.0, seed)
