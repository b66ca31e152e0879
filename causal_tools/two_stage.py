"""OPO with two decisions: the first action of the best regime, or the second where the question is about the time between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from causal_tools.conditions import Target, find_target
from causal_tools.contract import CausalQuery, PolicyResult
from causal_tools.errors import EstimationRefused
from causal_tools.nuisance import FOLDS, SMALLEST_PROPENSITY, choose_classifier, cross_fitted_propensity
from causal_tools.overlap import overlap_diagnostics, overlap_warnings, overlapping
from causal_tools.policy_overlap import refuse_decided, require_actions
from causal_tools.policy_regime import RegimeScores, Stage, regime_scores
from causal_tools.policy_stages import Stages, prepare_stages
from causal_tools.policy_values import BEHAVIOUR, LocalMeans, compared_policies, local_means, said_of_choice
from causal_tools.preparation import Prepared
from causal_tools.randomness import child_seed, seeded

LEARNED = "the learned rule at both stages"


def best_regime(query: CausalQuery, frame: pd.DataFrame, seed: int = 0) -> PolicyResult:
    """The first action of best mean response when the learned second rule follows, for the units asked about.

    Where a condition is on a column that is known only before the second decision, it is the second action.

    Raises:
        EstimationRefused: the data cannot support an answer.
        QueryError: the columns stand in the wrong order, or a condition does not fit its column.
    """
    stages = prepare_stages(query, frame)
    about = stages.second if stages.about_second else stages.first
    target = find_target(query.conditions, about.rows)
    own = child_seed(seed, "two-stage policy")
    with seeded(own):
        (early, first_model), (late, second_model) = (_stage(stage, own) for stage in (stages.first, stages.second))
        keep = _comparable(stages, early, late)
        thin = require_actions(about, target, keep)
        scores = regime_scores(
            _kept(early, keep), _kept(late, keep), stages.first.response.data[keep], own, query.sense
        )
    table = scores.second if stages.about_second else scores.first
    means = local_means(table, target, about.rows, keep)
    best = int(np.argmax(query.sense * means.heights))
    diagnostics = _diagnostics(stages, about, scores, target, keep, means, _range(late.propensity[keep]))
    propensity = late.propensity if stages.about_second else early.propensity
    diagnostics |= overlap_diagnostics(about, propensity, keep)
    actions = [str(level) for level in about.treatment.levels]
    return PolicyResult(
        query=stages.query,
        action=about.treatment.levels[best],
        second_action=about.treatment.levels[best] if stages.about_second else None,
        regime=_in_words(stages, best),
        estimate=float(means.heights[best]),
        interval=means.interval_of_best(best),
        values={action: float(value) for action, value in zip(actions, means.heights, strict=True)},
        n_rows=int(keep.sum()),
        method=f"two-stage Q-learning by backward induction; doubly robust values, {FOLDS}-fold cross-fitting; Q models "
        f"{scores.models[0]} and {scores.models[1]}, propensity models {first_model} and {second_model}"
        + (
            f"; means from a polynomial of degree {means.degree} in {', '.join(target.points)}" if target.points else ""
        ),
        assumptions=[
            f"a {'smaller' if query.lower_is_better else 'larger'} {about.response.name} is better",
            *stages.assumptions,
            "both actions were possible at either stage for every unit that is compared",
            f"the intervals are for the rules as learned: on {FOLDS - 1} of {FOLDS} parts of the rows, judged on the other",
            *said_of_choice(len(actions)),
        ],
        diagnostics=diagnostics,
        warnings=[
            *stages.notes,
            *target.warnings,
            *thin,
            *overlap_warnings(about, diagnostics),
            *_cautions(diagnostics, stages, str(about.treatment.levels[best])),
        ],
    )


def _stage(prepared: Prepared, seed: int) -> tuple[Stage, str]:
    features, codes, levels = prepared.covariates.matrix, prepared.treatment.data, len(prepared.treatment.levels)
    model, name = None, "shares of the actions"
    if features.shape[1]:
        choice = choose_classifier(features, codes, seed)
        model, name = choice.model, choice.name
    return Stage(features, codes, levels, cross_fitted_propensity(model, features, codes, levels, seed)), name


def _comparable(stages: Stages, early: Stage, late: Stage) -> np.ndarray:
    """(rows,) whether the first action was open; the second is only checked, since leaving rows out by what came after the
    first action would change the units that are compared."""
    for prepared, stage in ((stages.first, early), (stages.second, late)):
        refuse_decided(prepared, stage.propensity)
    keep = overlapping(stages.first, early.propensity)
    overlapping(stages.second, late.propensity)
    pairs = np.bincount((early.codes * late.levels + late.codes)[keep], minlength=early.levels * late.levels)
    if pairs.min() < FOLDS:
        raise EstimationRefused(
            f"no overlap: after the rows without counterpart are left out, a pair of actions has {pairs.min()} row(s). "
            "Adjust for fewer columns, or add rows."
        )
    return keep


def _kept(stage: Stage, keep: np.ndarray) -> Stage:
    return Stage(stage.history[keep], stage.codes[keep], stage.levels, stage.propensity[keep])


def _diagnostics(
    stages: Stages,
    about: Prepared,
    scores: RegimeScores,
    target: Target,
    keep: np.ndarray,
    means: LocalMeans,
    late_range: list[float],
) -> dict[str, Any]:
    sense = stages.query.sense
    table = scores.second if stages.about_second else scores.first
    levels = about.treatment.levels
    best, second = map(int, np.argsort(-sense * means.heights, kind="stable")[:2])
    recorded = about.response.data[keep]

    def against(columns: dict[str, np.ndarray]) -> dict[str, dict[str, Any]]:
        return compared_policies(columns, table[:, best], target, about.rows, keep, means.degree, sense)

    runner_up = against({"next": table[:, second]})["next"]
    policies = against({**_policies(stages, scores), BEHAVIOUR: recorded})
    found: dict[str, Any] = {
        "for": target.text,
        "decision": "second" if stages.about_second else "first",
        "rows_meeting_conditions": int(target.nearby(about.rows).sum()),
        "action_intervals": {str(level): list(means.interval(code)) for code, level in enumerate(levels)},
        "next_best": str(levels[second]),
        "gain_over_next_best": runner_up["gain"],
        "gain_over_next_best_interval": runner_up["gain_interval"],
        "behaviour_value": policies[BEHAVIOUR]["value"],
        "behaviour_value_interval": policies[BEHAVIOUR]["interval"],
        "gain_over_behaviour": policies[BEHAVIOUR]["gain"],
        "gain_over_behaviour_interval": policies[BEHAVIOUR]["gain_interval"],
        "policies": policies,
        "advised_second": _shares(scores.advised_second, stages.second),
        "propensity_range_second": late_range,
    }
    if not stages.about_second:
        fitted = local_means(scores.fitted, target, about.rows, keep, means.degree or None)
        found["advised_first"] = _shares(scores.advised_first, stages.first)
        found["learned_rule"] = compared_policies(
            {**_policies(stages, scores), BEHAVIOUR: recorded},
            scores.learned,
            target,
            about.rows,
            keep,
            means.degree,
            sense,
        )
        found["q_values"] = {str(level): float(fitted.heights[code]) for code, level in enumerate(levels)}
        found["learned_rule"].pop(LEARNED)  # against itself
    if target.points:
        found["response_curve_degree"] = means.degree
    return found


def _policies(stages: Stages, scores: RegimeScores) -> dict[str, np.ndarray]:
    """Scores of the policies that the recommended action is held against."""
    one, two = stages.first.treatment, stages.second.treatment
    if stages.about_second:
        return {
            f"treat {'all' if code else 'none'}: {two.name} = {level}": scores.second[:, code]
            for code, level in enumerate(two.levels)
        }
    alike = one.levels == two.levels
    pairs = {}
    for code, first in enumerate(one.levels):
        for later, second in enumerate(two.levels):
            always = code == later and code > 0 if alike else (code, later) == (one.target, two.target)
            kind = "treat none" if code == later == 0 else "treat all" if always else "fixed"
            pairs[f"{kind}: {one.name} = {first}, {two.name} = {second}"] = scores.fixed[:, code, later]
    return {LEARNED: scores.learned, **pairs}


def _range(propensity: np.ndarray) -> list[float]:
    return [float(propensity.min()), float(propensity.max())]


def _shares(advised: np.ndarray, prepared: Prepared) -> dict[str, float]:
    return {str(level): float(np.mean(advised == code)) for code, level in enumerate(prepared.treatment.levels)}


def _in_words(stages: Stages, best: int) -> str:
    one, two = stages.first.treatment, stages.second.treatment
    if stages.about_second:
        return f"{two.name} = {two.levels[best]}, whatever {one.name} was"
    return (
        f"{one.name} = {one.levels[best]}; then the {two.name} of {stages.query.goal} fitted Q value given "
        "everything known before it"
    )


def _cautions(diagnostics: dict[str, Any], stages: Stages, best: str) -> list[str]:
    found = []
    if diagnostics["gain_over_next_best_interval"][0] <= 0:
        found.append(
            f"the data do not settle whether the recommended action beats {diagnostics['next_best']}: the interval of "
            "the gain includes zero"
        )
    fitted = diagnostics.get("q_values")
    if fitted and (other := max(fitted, key=lambda action: stages.query.sense * fitted[action])) != best:
        found.append(f"the Q functions alone would advise {other}; the doubly robust values decided")
    if diagnostics["propensity_range_second"][0] < SMALLEST_PROPENSITY:
        found.append(
            f"some rows had a probability below 1 % of one of the actions of {stages.second.treatment.name!r}; their "
            "weights were limited"
        )
    return found
