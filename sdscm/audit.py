"""The audit: which effect a language model encodes, and how far it hangs on wording, scoring rule and sample spaces.

The unit is the exact effect under one phrasing of the scenario. A fact that the model holds should survive another wording;
where the sign changes with it, the effect is the wording's and not the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
import pandas as pd

from sdscm.descent import Progress
from sdscm.errors import ScenarioError, TooLarge
from sdscm.memo import ScoreMemo
from sdscm.model import SequenceSCM
from sdscm.scenario import Scenario, Variable
from sdscm.scores import Scorer
from sdscm.tables import Rule

BASE = "as it is"
DRAWS_TRIED = 20  # for each wording that is wanted
NO_EFFECT = 1e-9  # an exact effect nearer to zero than this has no sign


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        treatment: the variable intervened on, from its level of lowest score to that of highest.
        outcome: the variable whose mean score is compared.
        effects: one line a phrasing and variant: phrasing, variant, effect (outcome scores), error (its standard error; 0 where
            exact, and where no sampled unit is moved), exact (whether it is; else the law was too large, and rows were sampled).
        sensitivity: one line a variant: the mean effect over the phrasings that both were asked for, its difference from the
            model as it is, the largest difference of one phrasing, and the share of phrasings that keep their sign.
        variance: share of the effect's variance over phrasings × rules due to phrasing, to the rule, and to both together.
        between_phrasings: share of the variance of data sets' effects (phrasing × seed) that lies between phrasings.
        sign: 1, −1, or 0: of the median effect over the phrasings.
        sign_stability: share of phrasings whose effect has that sign.
        sign_interval: 95 % Wilson interval of that share.
    """

    treatment: str
    outcome: str
    effects: pd.DataFrame
    sensitivity: pd.DataFrame
    variance: dict[str, float]
    between_phrasings: float
    sign: int
    sign_stability: float
    sign_interval: tuple[float, float]


def audit(
    scenario: Scenario,
    model: Scorer,
    phrasings: int = 20,
    *,
    rules: Sequence[Rule] = ("sum", "mean", "pmi"),
    variant_phrasings: int = 5,
    seeds: int = 5,
    rows: int = 1000,
    temperature: float = 1.0,
    memo: ScoreMemo | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit the effect of a scenario's treatment on its outcome.

    Args:
        scenario: with one treatment and one outcome; its own phrasing draw does not matter.
        model: the language model.
        phrasings: how many different wordings, at least 2; fewer are taken where the scenario has fewer.
        rules: scoring rules to compare; the first is the model as it is.
        variant_phrasings: of how many phrasings the sample-space changes are tried.
        seeds: data sets a phrasing for the split of variance between phrasings and seeds; at least 2. No two phrasings share a
            seed.
        rows: units a data set, and of the sampled effect where the law is too large to be exact; at least 2.
        temperature: divides the scores.
        memo: scores known already.
        progress: called with effects worked out and in all.

    Raises:
        ScenarioError: too few phrasings, seeds, rows or rules, one wording only, or not one treatment and one outcome.
    """
    if phrasings < 2 or seeds < 2 or rows < 2 or not rules:
        raise ScenarioError(
            f"an audit needs two phrasings, two seeds, two rows and a rule; given {phrasings}, {seeds}, {rows} and {len(rules)}"
        )
    treatment, outcome = scenario.only("treatment").name, scenario.only("outcome").name
    memo = memo or ScoreMemo()
    variants = list(_variants(scenario, rules))
    everywhere = {BASE, *(name for name, rule, _ in variants if rule != rules[0])}
    draws = distinct_phrasings(scenario, phrasings)
    asked = [
        (phrasing, variant)
        for place, phrasing in enumerate(draws)
        for variant in variants
        if variant[0] in everywhere or place < variant_phrasings
    ]
    lines: list[tuple[int, str, float, float, bool]] = []
    drawn: list[list[float]] = []
    for done, (phrasing, (name, rule, change)) in enumerate(asked, start=1):
        scm = SequenceSCM(
            change(scenario.model_copy(update={"phrasing": phrasing})), model, rule, temperature, memo=memo
        )
        lines.append((phrasing, name, *_effect(scm, treatment, outcome, rows)))
        if (
            name == BASE
        ):  # a seed that phrasings shared would move them together, and look like no difference between them
            own = range(seeds * len(drawn), seeds * (len(drawn) + 1))
            drawn.append([_drawn_effect(scm, treatment, outcome, rows, seed)[0] for seed in own])
        if progress is not None:
            progress(done, len(asked))
    effects = pd.DataFrame(lines, columns=["phrasing", "variant", "effect", "error", "exact"])
    base = effects.loc[effects["variant"] == BASE, "effect"].to_numpy()
    sign = int(_signs(np.median(base)))
    same = int((_signs(base) == sign).sum())
    grid = effects[effects["variant"].isin(everywhere)].pivot_table(
        index="phrasing", columns="variant", values="effect"
    )
    return Audit(
        treatment,
        outcome,
        effects,
        _sensitivity(effects),
        variance_shares(grid.to_numpy()),
        between_share(np.array(drawn)),
        sign,
        same / len(draws),
        _wilson(same, len(draws)),
    )


def distinct_phrasings(scenario: Scenario, count: int) -> list[int]:
    """The first draws of phrasings that differ in some stem on which the effect depends; as many as there are, up to ``count``.

    Draws that read alike are one piece of evidence, not several. What moves the outcome only through the treatment, such as an
    instrument, has no say in the effect: an intervention cuts it off.

    Raises:
        ScenarioError: there is only one wording, or not one treatment and one outcome.
    """
    treatment, outcome = scenario.only("treatment").name, scenario.only("outcome").name
    reached = {outcome}  # the outcome and its causes where the treatment is set
    for variable in reversed(scenario.variables):
        if variable.name in reached and variable.name != treatment:
            reached.update(variable.parents)
    told = [v.name for v in scenario.variables if v.name in reached and not v.silent]  # what is silent is in no text
    count = min(
        count, prod(len(scenario[name].phrasings) or 1 for name in told)
    )  # so that no draw is in vain once all are seen
    seen: dict[tuple[str, ...], int] = {}
    for phrasing in range(DRAWS_TRIED * count):
        reworded = scenario.model_copy(update={"phrasing": phrasing})
        seen.setdefault(tuple(reworded.stem(name) for name in told), phrasing)
        if len(seen) == count:
            break
    if len(seen) < 2:
        raise ScenarioError(
            f"scenario {scenario.name!r} has one wording only; give its variables more phrasings to audit it"
        )
    return list(seen.values())


def variance_shares(grid: np.ndarray) -> dict[str, float]:
    """Split the variance of a full grid into its two margins and what they do not explain.

    Args:
        grid: (phrasings, rules) effects.

    Returns:
        Shares ``phrasing``, ``rule`` and ``both`` of the sum of squares, adding up to 1; NaN where nothing varies.
    """
    centred = grid - grid.mean()
    total = (centred**2).sum()
    phrasing = grid.shape[1] * (centred.mean(axis=1) ** 2).sum()
    rule = grid.shape[0] * (centred.mean(axis=0) ** 2).sum()
    shares = np.array([phrasing, rule, total - phrasing - rule])
    shares = shares / total if total > NO_EFFECT**2 else np.full(3, np.nan)
    return dict(zip(("phrasing", "rule", "both"), shares.clip(0, 1).tolist(), strict=True))


def between_share(drawn: np.ndarray) -> float:
    """Share of the variance that lies between groups: the intraclass correlation of a one-way random-effects model.

    Args:
        drawn: (phrasings, seeds) effects of data sets.

    Returns:
        In [0, 1]; NaN where nothing varies.
    """
    seeds = drawn.shape[1]
    within = drawn.var(axis=1, ddof=1).mean()
    between = max(0.0, drawn.mean(axis=1).var(ddof=1) - within / seeds)
    return float(between / (between + within)) if between + within > NO_EFFECT**2 else float("nan")


def _variants(scenario: Scenario, rules: Sequence[Rule]) -> Iterator[tuple[str, Rule, Callable[[Scenario], Scenario]]]:
    """(name, rule, change of the scenario): the model as it is, other rules, order of levels, other sample spaces."""
    yield BASE, rules[0], lambda one: one
    for rule in rules[1:]:
        yield f"rule {rule}", rule, lambda one: one
    yield "levels in reverse order", rules[0], _reversed
    ends = {scenario.only("treatment").name, scenario.only("outcome").name}
    for variable in scenario.variables:
        for levels in variable.alternatives:
            yield (
                f"{variable.name}: {', '.join(levels)}",
                rules[0],
                partial(Scenario.with_levels, name=variable.name, levels=levels),
            )
        if len(variable.levels) > 2 and variable.name not in ends and not variable.silent:
            for level in _spared(variable):
                yield (
                    f"{variable.name} without {level}",
                    rules[0],
                    partial(Scenario.without_level, name=variable.name, level=level),
                )


def _spared(variable: Variable) -> list[str]:
    """The levels that can be left out: not the one that a fixed law gives all the probability."""
    law = variable.law if isinstance(variable.law, tuple) else ()
    return [level for i, level in enumerate(variable.levels) if not law or any(law[:i] + law[i + 1 :])]


def _reversed(scenario: Scenario) -> Scenario:
    """Every variable's levels the other way round, each keeping its score: nothing should change."""
    content = scenario.model_dump()
    for variable, line in zip(scenario.variables, content["variables"], strict=True):
        line["levels"] = variable.levels[::-1]
        line["alternatives"] = ()
        line["scores"] = tuple(variable.score_of()[::-1].tolist())
        if isinstance(variable.law, tuple):
            line["law"] = variable.law[::-1]
    return Scenario.model_validate(content)


def _contrast(scm: SequenceSCM, treatment: str) -> tuple[str, str]:
    """(from, to): the treatment levels of lowest and highest score, whatever their order."""
    variable = scm.scenario[treatment]
    scores = variable.score_of()
    return variable.levels[int(scores.argmin())], variable.levels[int(scores.argmax())]


def _effect(scm: SequenceSCM, treatment: str, outcome: str, rows: int) -> tuple[float, float, bool]:
    """(effect, standard error, whether it is exact): sampled where the law is too large."""
    try:
        return scm.exact().ate(treatment, outcome, _contrast(scm, treatment)), 0.0, True
    except TooLarge:
        return *_drawn_effect(scm, treatment, outcome, rows, seed=0), False


def _drawn_effect(scm: SequenceSCM, treatment: str, outcome: str, rows: int, seed: int) -> tuple[float, float]:
    low, high = scm.worlds(rows, seed, [{treatment: level} for level in _contrast(scm, treatment)])
    scores = scm.scenario[outcome].score_of()
    effects = scores[high.frame[outcome].cat.codes] - scores[low.frame[outcome].cat.codes]
    return float(effects.mean()), float(effects.std(ddof=1) / np.sqrt(rows))


def _sensitivity(effects: pd.DataFrame) -> pd.DataFrame:
    base = effects[effects["variant"] == BASE].set_index("phrasing")["effect"]
    lines = []
    for variant, part in effects.groupby("variant", sort=False):
        own = part.set_index("phrasing")["effect"]
        before = base[own.index]
        difference = own - before
        kept = (_signs(own) == _signs(before)) | (difference.abs() <= NO_EFFECT)
        lines.append((variant, len(own), own.mean(), difference.mean(), difference.abs().max(), kept.mean()))
    columns = ["variant", "phrasings", "mean_effect", "mean_difference", "largest_difference", "sign_kept"]
    return pd.DataFrame(lines, columns=columns)


def _signs(effects: np.ndarray | pd.Series) -> np.ndarray:
    """1, −1, or 0 where there is no effect."""
    return np.where(np.abs(effects) <= NO_EFFECT, 0, np.sign(effects)).astype(int)


def _wilson(successes: int, trials: int) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, trials, method="wilson")
    return float(low), float(high)
