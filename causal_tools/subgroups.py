"""Who gains more: the effect by level of each covariate, from the last regression of a fitted estimator."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from causal_tools.covariates import Covariates, Encoded
from causal_tools.final_stage import FinalStage

MOST_COVARIATES = 12
MOST_GROUPS = 8
FEWEST_IN_GROUP = 40
FEWEST_VALUES = 10
MOST_CELLS = 20_000_000
LEVEL = 0.01


def effects_by_group(
    estimator: Any,
    final: FinalStage,
    covariates: Covariates,
    treatment: np.ndarray,
    code: int | None,
    moved: float = 1.0,
) -> list[dict[str, Any]]:
    """The effect in each group of each covariate, with intervals, and whether groups differ.

    Categories are grouped by level, amounts into thirds; columns with gaps are passed over, as a filled gap is in no group. The
    nuisance models stay as they were fitted, only the last regression is made anew, on indicators of the groups; the estimator is
    left with the last of these.

    Args:
        treatment: (kept rows,) codes of levels, or amounts.
        code: the level compared with the reference; None for an amount.
        moved: by how much an amount is moved.

    Returns:
        For each covariate ``covariate``, ``groups`` (each ``group``, ``rows``, ``estimate``, ``interval``), and ``p_value`` of no
        difference between them, by Cochran's Q, adjusted for the number of covariates (Holm); smallest first. Empty above 20
        million cells.
    """
    from statsmodels.stats.multitest import multipletests

    if final.features.size > MOST_CELLS:
        return []
    found = []
    whole = [column for column in covariates.encoded if f"{column.label} missing" not in covariates.names]
    for column in whole[:MOST_COVARIATES]:
        edges = _edges(final.features, column)
        texts = _texts(column, edges, final.features[:, column.positions[0]])
        inside = indicators(final.features, column.positions, edges)
        if not 2 <= len(texts) <= MOST_GROUPS or not _comparable(inside, treatment, code):
            continue
        found.append(
            {"covariate": column.label, **_compared(estimator, final, column, edges, texts, inside, code, moved)}
        )
    if found:
        adjusted = multipletests([row["p_value"] for row in found], method="holm")[1]
        for row, p_value in zip(found, adjusted, strict=True):
            row["p_value"] = float(p_value)
    return sorted(found, key=lambda row: row["p_value"])


def said_of_groups(found: list[dict[str, Any]], effect: str) -> list[str]:
    """A sentence where the effect differs between groups."""
    differ = [row["covariate"] for row in found if row["p_value"] < LEVEL]
    if not differ:
        return []
    return [f"{effect} is not the same for all: it differs with {', '.join(differ[:4])} (see effects_by_group)"]


def _compared(
    estimator: Any,
    final: FinalStage,
    column: Encoded,
    edges: tuple[float, ...],
    texts: list[str],
    inside: np.ndarray,
    code: int | None,
    moved: float,
) -> dict[str, Any]:
    from scipy import stats
    from sklearn.preprocessing import FunctionTransformer

    before = final.modifiers.shape[1]
    estimator.featurizer = FunctionTransformer(
        indicators, kw_args={"positions": tuple(before + place for place in column.positions), "edges": edges}
    )
    estimator.refit_final()
    inference = estimator.coef__inference() if code is None else estimator.coef__inference(T=code)
    inference.scale(moved)
    values, errors = np.ravel(inference.point_estimate), np.ravel(inference.stderr)
    low, high = np.sort([np.ravel(end) for end in inference.conf_int(alpha=0.05)], axis=0)
    weights = 1 / np.maximum(errors, 1e-300) ** 2
    spread = float(np.sum(weights * (values - np.average(values, weights=weights)) ** 2))
    return {
        "p_value": float(stats.chi2.sf(spread, len(values) - 1)),
        "groups": [
            {
                "group": text,
                "rows": int(inside[:, place].sum()),
                "estimate": float(values[place]),
                "interval": [float(low[place]), float(high[place])],
            }
            for place, text in enumerate(texts)
        ],
    }


def indicators(inputs: np.ndarray, positions: tuple[int, ...], edges: tuple[float, ...]) -> np.ndarray:
    """(rows, groups): of an amount between its edges, or of a category by its features, the level without one first."""
    if edges:
        groups = np.searchsorted(edges, inputs[:, positions[0]], side="left")
        return np.asarray(groups[:, None] == np.arange(len(edges) + 1)).astype(float)
    features = inputs[:, list(positions)]
    if features.shape[1] == 1 and not np.isin(features, (0.0, 1.0)).all():
        low = features.min()  # an amount of two values
        return np.column_stack([features == low, features != low]).astype(float)
    return np.column_stack([1 - features.sum(axis=1), features])


def _edges(features: np.ndarray, column: Encoded) -> tuple[float, ...]:
    """Where an amount is cut: its thirds, or between its few values; none for a category or two values."""
    if column.levels:
        return ()
    values = np.unique(features[:, column.positions[0]])
    if len(values) <= 2:
        return ()
    if len(values) <= MOST_GROUPS:
        return tuple(float(value) for value in values[:-1])
    cut = np.quantile(features[:, column.positions[0]], [1 / 3, 2 / 3])
    return tuple(float(value) for value in np.unique(cut) if value < values[-1])


def _texts(column: Encoded, edges: tuple[float, ...], values: np.ndarray) -> list[str]:
    if column.levels:
        return [f"{column.label} = {level}" for level in column.levels]
    if not edges:
        return [f"{column.label} = {value:.4g}" for value in np.unique(values)]
    first, last = f"{column.label} <= {edges[0]:.4g}", f"{column.label} > {edges[-1]:.4g}"
    between = [f"{low:.4g} < {column.label} <= {high:.4g}" for low, high in pairwise(edges)]
    return [first, *between, last]


def _comparable(inside: np.ndarray, treatment: np.ndarray, code: int | None) -> bool:
    """Whether every group has rows enough, under both levels compared."""
    if inside.sum(axis=0).min() < FEWEST_IN_GROUP:
        return False
    if code is None:
        return True
    arms = [inside[treatment == level].sum(axis=0).min() for level in (0, code)]
    return bool(min(arms) >= FEWEST_IN_GROUP // 4)
