"""A data set whose true effects are known: factual rows, and each unit's outcome had the treatment been otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sdscm.errors import TooLarge
from sdscm.model import SequenceSCM

DO = "__do_"  # column of a potential outcome: <outcome>__do_<treatment level>


@dataclass(frozen=True)
class Benchmark:
    """One data set and its truths.

    Attributes:
        frame: factual columns in order τ, then one potential outcome a treatment level.
        treatment: name of the treatment.
        outcome: name of the outcome.
        sample_ate: mean difference of the potential outcomes of the last and the first level, in outcome scores.
        exact_ate: the same in the model's law, or None where it is too large to enumerate.
        difference_in_means: what comparing the factual groups gives; None where a group is empty.
        unit_effect_sd: standard deviation of the units' effects.
    """

    frame: pd.DataFrame
    treatment: str
    outcome: str
    sample_ate: float
    exact_ate: float | None
    difference_in_means: float | None
    unit_effect_sd: float


def make_benchmark(scm: SequenceSCM, rows: int, seed: int) -> Benchmark:
    """Draw rows, and the same units under each level of the treatment.

    Args:
        scm: with one variable of role treatment and one of role outcome.
        rows: units.
        seed: of the noise.

    Raises:
        ScenarioError: the scenario has not exactly one treatment and one outcome.
    """
    treatment, outcome = scm.scenario.only("treatment"), scm.scenario.only("outcome")
    factual = scm.sample(rows, seed)
    frame = factual.frame.copy()
    scores = outcome.score_of()
    arms = {}
    for level in treatment.levels:
        column = scm.counterfactual(factual, {treatment.name: level}).frame[outcome.name]
        frame[f"{outcome.name}{DO}{level}"] = column
        arms[level] = scores[column.cat.codes]
    effects = arms[treatment.levels[-1]] - arms[treatment.levels[0]]
    observed = scores[frame[outcome.name].cat.codes]
    treated, untreated = (
        frame[treatment.name].to_numpy() == level for level in (treatment.levels[-1], treatment.levels[0])
    )
    both = treated.any() and untreated.any()
    try:
        exact = scm.exact().ate(treatment.name, outcome.name)
    except TooLarge:
        exact = None
    return Benchmark(
        frame=frame,
        treatment=treatment.name,
        outcome=outcome.name,
        sample_ate=float(effects.mean()),
        exact_ate=exact,
        difference_in_means=float(observed[treated].mean() - observed[untreated].mean()) if both else None,
        unit_effect_sd=float(np.std(effects)),
    )
