"""OPO: which action gives the best response for the units asked about, from data gathered under another policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from causal_tools.comparison import said_of_best
from causal_tools.conditions import Target, find_target
from causal_tools.contract import CausalQuery, PolicyResult
from causal_tools.nuisance import (
    FOLDS,
    Scores,
    choose_classifier,
    cross_fitted_propensity,
    doubly_robust_scores,
)
from causal_tools.overlap import overlap_diagnostics, overlap_warnings, overlapping
from causal_tools.policy_learning import learned_policies
from causal_tools.policy_overlap import refuse_decided, require_actions
from causal_tools.policy_values import BEHAVIOUR, LocalMeans, compared_policies, local_means, said_of_choice
from causal_tools.preparation import Prepared, prepare
from causal_tools.randomness import child_seed, seeded


def best_action(query: CausalQuery, frame: pd.DataFrame, seed: int = 0, checks: bool = True) -> PolicyResult:
    """The action of best doubly robust mean response for the units that meet the conditions.

    With a second treatment, the first action of a two-stage regime, or the second (:mod:`causal_tools.two_stage`).

    Raises:
        EstimationRefused: the data cannot support an answer.
        QueryError: a condition does not fit its column.
    """
    if query.second_treatment is not None:
        from causal_tools.two_stage import best_regime

        return best_regime(query, frame, seed)
    return best_single_action(query, frame, seed, checks)


def best_single_action(query: CausalQuery, frame: pd.DataFrame, seed: int, checks: bool) -> PolicyResult:
    """The same for one decision."""
    prepared = prepare(query, frame, as_actions=True)
    target = find_target(query.conditions, prepared.rows)
    own = child_seed(seed, "policy")
    with seeded(own):
        scores, keep, propensity = _scores(prepared, own)
        thin = require_actions(prepared, target, keep)
        means = local_means(scores.table, target, prepared.rows, keep)
        learned = learned_policies(prepared, scores, keep, own, query.sense) if checks else {}
    best = int(np.argmax(query.sense * means.heights))
    actions = [str(level) for level in prepared.treatment.levels]
    diagnostics: dict[str, Any] = {
        "for": target.text,
        "rows_meeting_conditions": int(target.nearby(prepared.rows).sum()),
        "action_intervals": {action: list(means.interval(code)) for code, action in enumerate(actions)},
        **_against(prepared, scores, target, keep, means, query.sense),
        **_compared(prepared, scores, target, keep, means, query.sense),
        **learned,
        **overlap_diagnostics(prepared, propensity, keep),
    }
    if target.points:
        diagnostics["response_curve_degree"] = means.degree
    curve = f"; means from a polynomial of degree {means.degree} in {', '.join(target.points)}" if target.points else ""
    return PolicyResult(
        query=query,
        action=prepared.treatment.levels[best],
        estimate=float(means.heights[best]),
        interval=means.interval_of_best(best),
        values={action: float(value) for action, value in zip(actions, means.heights, strict=True)},
        n_rows=int(keep.sum()),
        method=f"doubly robust action values, {FOLDS}-fold cross-fitting; "
        f"outcome model {scores.outcome_model}, propensity model "
        f"{scores.propensity_model}{curve}",
        assumptions=[
            f"a {'smaller' if query.lower_is_better else 'larger'} {prepared.response.name} is better",
            *prepared.assumptions,
            "every action was possible for every unit that is compared",
            *said_of_choice(len(actions)),
        ],
        diagnostics=diagnostics,
        warnings=[
            *prepared.notes,
            *target.warnings,
            *thin,
            *overlap_warnings(prepared, diagnostics),
            *_undecided(diagnostics),
            *(
                said_of_best(prepared, target.nearby(prepared.rows), best, query.sense)
                if query.covariates is None
                else ()
            ),
        ],
    )


def _scores(prepared: Prepared, seed: int) -> tuple[Scores, np.ndarray, np.ndarray]:
    features, codes, levels = prepared.covariates.matrix, prepared.treatment.data, len(prepared.treatment.levels)
    model, name = None, "shares of the actions"
    if features.shape[1]:
        choice = choose_classifier(features, codes, seed)
        model, name = choice.model, choice.name
    propensity = cross_fitted_propensity(model, features, codes, levels, seed)
    refuse_decided(prepared, propensity)
    keep = overlapping(prepared, propensity)
    scores = doubly_robust_scores(
        features[keep], codes[keep], prepared.response.data[keep], levels, propensity[keep], name, seed
    )
    return scores, keep, propensity


def _against(
    prepared: Prepared, scores: Scores, target: Target, keep: np.ndarray, means: LocalMeans, sense: int
) -> dict[str, Any]:
    """The recommended action against the next best, and against what was done."""
    best, second = map(int, np.argsort(-sense * means.heights, kind="stable")[:2])
    recorded = prepared.response.data[keep]
    differences = np.column_stack(
        [
            sense * (scores.table[:, best] - scores.table[:, second]),
            sense * (scores.table[:, best] - recorded),
            recorded,
        ]
    )
    compared = local_means(differences, target, prepared.rows, keep, means.degree or None)
    return {
        "next_best": str(prepared.treatment.levels[second]),
        "gain_over_next_best": float(compared.heights[0]),
        "gain_over_next_best_interval": list(compared.interval(0)),
        "behaviour_value": float(compared.heights[2]),
        "behaviour_value_interval": list(compared.interval(2)),
        "gain_over_behaviour": float(compared.heights[1]),
        "gain_over_behaviour_interval": list(compared.interval(1)),
    }


def _compared(
    prepared: Prepared, scores: Scores, target: Target, keep: np.ndarray, means: LocalMeans, sense: int
) -> dict[str, Any]:
    """The recommended action against each policy, for the units asked about and, where these are some, for everyone."""
    policies = _policies(prepared, scores, keep)
    recommended = scores.table[:, int(np.argmax(sense * means.heights))]
    found = {"policies": compared_policies(policies, recommended, target, prepared.rows, keep, means.degree, sense)}
    if not target.is_everyone:
        everyone = Target(np.ones(prepared.size, dtype=bool))
        found["policies_for_everyone"] = compared_policies(
            policies, recommended, everyone, prepared.rows, keep, 0, sense
        )
    return found


def _policies(prepared: Prepared, scores: Scores, keep: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of giving everyone the reference level, giving everyone another, and of what was done."""
    name, levels = prepared.treatment.name, prepared.treatment.levels
    said = {f"treat {'all' if code else 'none'}: {name} = {level}": code for code, level in enumerate(levels)}
    return {
        **{text: scores.table[:, code] for text, code in said.items()},
        BEHAVIOUR: prepared.response.data[keep],
    }


def _undecided(diagnostics: dict[str, Any]) -> list[str]:
    low, _ = diagnostics["gain_over_next_best_interval"]
    if low > 0:
        return []
    return [
        f"the data do not settle whether the recommended action beats {diagnostics['next_best']}: the "
        "interval of the gain "
        "includes zero"
    ]
