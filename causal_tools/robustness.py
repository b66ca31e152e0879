"""Attempts to refute an effect: estimates that must be nought, or must not move, made on a sample of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from causal_tools.learners import Recipe

MOST_ROWS = 4_000
FEWEST_ROWS = 200
FOLDS = 3
Z99 = 2.575829


def refutations(
    recipe: Recipe,
    response: np.ndarray,
    treatment: np.ndarray,
    features: np.ndarray,
    code: int,
    seed: int,
    average: tuple[float, float] | None = None,
    moved: float = 1.0,
) -> list[dict[str, Any]]:
    """Placebo treatment, placebo response, an added cause, and part of the rows, each with what came and whether it passed.

    A check passes where a 99 % interval holds what must come; one in a hundred sound analyses fails one by chance.

    Args:
        average: the average effect on all rows and its standard error, to hold the part against; None where only an effect under
            conditions is known.
        moved: by how much an amount is moved.

    Returns:
        For each check ``check``, ``must_be``, ``estimate``, ``interval`` (99 %), ``passed``; empty below 200 rows.
    """
    rows = len(response)
    if rows < FEWEST_ROWS:
        return []
    generator = np.random.default_rng(seed)
    chosen = np.sort(generator.permutation(rows)[: min(MOST_ROWS, int(0.8 * rows))])
    response, treatment, features = response[chosen], treatment[chosen], features[chosen]
    if recipe.discrete and np.bincount(treatment).min() < FOLDS:
        return []
    base, base_error = recipe.average(response, treatment, features, code, FOLDS, moved)
    shuffled = generator.permutation(len(response))
    found = []
    estimate, error = recipe.average(response, treatment[shuffled], features, code, FOLDS, moved)
    found.append(_row("treatment shuffled among the rows", 0.0, estimate, error))
    estimate, error = recipe.average(response[shuffled], treatment, features, code, FOLDS, moved)
    found.append(_row("response shuffled among the rows", 0.0, estimate, error))
    noise = generator.normal(size=(len(response), 1))
    estimate, _ = recipe.average(response, treatment, np.column_stack([features, noise]), code, FOLDS, moved)
    # the two share their rows, so what is left of the difference is small beside either one's error
    found.append(_row("a random covariate added", base, estimate, base_error / 2))
    if average is not None:
        value, whole_error = average
        error = float(np.sqrt(max(base_error**2 - whole_error**2, (base_error / 4) ** 2)))
        found.append(_row(f"{len(response)} of the {rows} rows", value, base, error))
    return found


def said_of_refutations(found: list[dict[str, Any]]) -> list[str]:
    """A sentence a check that failed."""
    return [
        f"a check failed: with {row['check']} the estimate should be {row['must_be']:.4g} and came out {row['estimate']:.4g}; "
        "treat the effect with care"
        for row in found
        if not row["passed"]
    ]


def _row(check: str, must_be: float, estimate: float, error: float) -> dict[str, Any]:
    reach = Z99 * error
    return {
        "check": check,
        "must_be": float(must_be),
        "estimate": float(estimate),
        "interval": [float(estimate - reach), float(estimate + reach)],
        "passed": bool(abs(estimate - must_be) <= reach),
    }
