"""A data set whose true effects are known: factual rows, and each unit's outcome had the treatment been otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from sdscm.descent import Progress
from sdscm.errors import ScenarioError, TooLarge
from sdscm.model import SequenceSCM
from sdscm.noise import uniforms
from sdscm.tables import all_combinations

DO = "__do_"  # column of a potential outcome: <outcome>__do_<treatment level>
OutcomeKind = Literal["level", "log_prob", "expected_score"]


@dataclass(frozen=True)
class Benchmark:
    """One data set and its truths.

    Attributes:
        frame: factual columns in order τ, then one potential outcome a treatment level.
        treatment: name of the treatment.
        outcome: name of the outcome.
        hidden: columns that an analyst would not have.
        sample_ate: mean difference of the potential outcomes of the last and the first level, in units of the outcome.
        exact_ate: the same in the model's law, or None where its tables are too large to be completed.
        difference_in_means: what comparing the factual groups gives; None where a group is empty.
        unit_effect_sd: standard deviation of the units' effects.
        manifest: what the data set was made from.
    """

    frame: pd.DataFrame
    treatment: str
    outcome: str
    hidden: tuple[str, ...]
    sample_ate: float
    exact_ate: float | None
    difference_in_means: float | None
    unit_effect_sd: float
    manifest: dict[str, Any] = field(default_factory=dict)


def make_benchmark(
    scm: SequenceSCM,
    rows: int,
    seed: int,
    *,
    kind: OutcomeKind = "level",
    level: str | None = None,
    noise_sd: float = 0.0,
    most_contexts: int = 500,
    progress: Progress | None = None,
) -> Benchmark:
    """Draw rows, and the same units under each level of the treatment.

    Args:
        scm: with one variable of role treatment and one of role outcome.
        rows: units.
        seed: of the noise.
        kind: the outcome: ``level`` is the level drawn; ``log_prob`` the log-probability (nats) of one of its levels under the
            unit's parents, as in the paper; ``expected_score`` the mean of its levels' scores under them. The last two are
            functions of the parents, so that each unit's effect is known and no coupling matters.
        level: the level whose log-probability is meant; the last by default.
        noise_sd: of Gaussian noise on a continuous outcome, the same in every arm.
        most_contexts: the exact effect is worked out where the complete tables have at most so many.
        progress: called with values drawn so far and in all.

    Raises:
        ScenarioError: the scenario has not exactly one treatment and one outcome, or a variable with the name of a potential
            outcome; or the outcome asked for does not fit, or it is the log-probability of a level that has none.
    """
    treatment, outcome = scm.scenario.only("treatment"), scm.scenario.only("outcome")
    transform = _transform(scm, kind, level)
    if not 0 <= noise_sd < np.inf or (noise_sd and transform is None):
        raise ScenarioError(
            f"noise_sd is for a continuous outcome and not negative; given {noise_sd} for kind {kind!r}"
        )
    potential = {arm: f"{outcome.name}{DO}{arm}" for arm in treatment.levels}
    if taken := [name for name in potential.values() if name in scm.scenario.names]:
        raise ScenarioError(
            f"{taken[0]!r} is to hold a potential outcome, and is a variable of the scenario; rename it"
        )
    worlds = scm.worlds(rows, seed, [None, *({treatment.name: arm} for arm in treatment.levels)], progress=progress)
    frame = worlds[0].frame.copy()
    if transform is None:
        values = [world.frame[outcome.name] for world in worlds]
        numbers = [outcome.score_of()[column.cat.codes] for column in values]
    else:
        parents = [world.frame[list(outcome.parents)].apply(lambda column: column.cat.codes) for world in worlds]
        noise = noise_sd * _standard_normal(seed, outcome.name, rows) if noise_sd else 0.0
        numbers = [scm.tables.outcome_values(codes.to_numpy(dtype=int), transform)[:, 0] + noise for codes in parents]
        if not all(np.isfinite(column).all() for column in numbers):
            raise ScenarioError(
                f"the level of {outcome.name!r} has probability zero for some unit: it has no log-probability"
            )
        values = [pd.Series(column, index=frame.index) for column in numbers]
    frame[outcome.name] = values[0]
    for arm, column in zip(treatment.levels, values[1:], strict=True):
        frame[potential[arm]] = column
    effects = numbers[-1] - numbers[1]
    groups = [
        numbers[0][(frame[treatment.name] == arm).to_numpy()] for arm in (treatment.levels[0], treatment.levels[-1])
    ]
    return Benchmark(
        frame=frame,
        treatment=treatment.name,
        outcome=outcome.name,
        hidden=tuple(name for name in scm.scenario.names if name not in scm.scenario.observed),
        sample_ate=float(effects.mean()),
        exact_ate=_exact_ate(scm, transform, most_contexts),
        difference_in_means=float(groups[1].mean() - groups[0].mean()) if all(map(len, groups)) else None,
        unit_effect_sd=float(np.std(effects)),
        manifest=scm.manifest(rows=rows, seed=seed, outcome=kind, outcome_level=level, noise_sd=noise_sd),
    )


def _transform(scm: SequenceSCM, kind: OutcomeKind, level: str | None) -> Callable[[np.ndarray], np.ndarray] | None:
    outcome = scm.scenario.only("outcome")
    if kind not in get_args(OutcomeKind):
        raise ScenarioError(f"outcome kind {kind!r} is none of {', '.join(get_args(OutcomeKind))}")
    if level is not None and (kind != "log_prob" or level not in outcome.levels):
        raise ScenarioError(
            f"level {level!r} does not fit: give one of {', '.join(outcome.levels)}, with the outcome kind 'log_prob'"
        )
    if kind == "level":
        return None
    if kind == "expected_score":
        return lambda log_probs: np.exp(log_probs) @ outcome.score_of()[:, None]
    place = outcome.levels.index(level) if level is not None else len(outcome.levels) - 1
    return lambda log_probs: log_probs[:, [place]]


def _exact_ate(
    scm: SequenceSCM, transform: Callable[[np.ndarray], np.ndarray] | None, most_contexts: int
) -> float | None:
    treatment, outcome = scm.scenario.only("treatment"), scm.scenario.only("outcome")
    try:
        exact = scm.exact(most_contexts=most_contexts)
        if transform is None:
            return exact.ate(treatment.name, outcome.name)
        sizes = [len(scm.scenario[parent].levels) for parent in outcome.parents]
        values = scm.tables.outcome_values(all_combinations(sizes), transform)[:, 0]
        means = [
            float(exact.law(list(outcome.parents), {treatment.name: arm}).ravel() @ values)
            for arm in (treatment.levels[0], treatment.levels[-1])
        ]
    except TooLarge:
        return None
    return means[1] - means[0]


def _standard_normal(seed: int, outcome: str, rows: int) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(uniforms(seed, ["outcome noise", outcome], rows, 1)[:, 0]))
