"""Is the challenger measurably better, and nowhere worse? Paired comparisons on the same items, margins stated beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from validation.results import CheckResult

BOOTSTRAPS = 2000
FLIPS = 10_000  # sign patterns of the topics' differences; all, where there are no more
MARGINS = Path(__file__).with_name("margins.yaml")
FACTS = ("metric", "id", "task", "topic")


class Margin(BaseModel):
    """The most that a metric may fall, as a share of its questions: all together, and within each task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    all: float | None = Field(default=None, ge=0, le=1)
    task: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.all is None and self.task is None:
            raise ValueError("give `all`, `task` or both: without either nothing would be ruled out")
        return self


class Margins(BaseModel):
    """When a challenger may be promoted; ``margins.yaml`` beside this module says what each field means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: float = Field(default=0.025, gt=0, lt=0.5)
    loss_level: float = Field(default=0.035, gt=0, lt=0.5)
    primary: str = "reading_exact"
    margins: dict[str, Margin] = {}


def read_margins(path: Path = MARGINS) -> Margins:
    """Read the margins.

    Raises:
        ValueError: the file is missing or does not fit the schema; the message names the field.
    """
    try:
        return Margins.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except FileNotFoundError:
        raise ValueError(f"there is no file of margins at {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is no YAML: {error}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{path.name}: {problems}") from None


def compare_paired(
    challenger: Sequence[bool], incumbent: Sequence[bool], clusters: Sequence[str], *, level: float, seed: int = 0
) -> tuple[float, float, float]:
    """Difference of two systems' shares right on the same items: estimate and two-sided interval of level 1 − 2·level.

    Whole clusters (topics) are resampled, since their questions share columns and difficulty. Percentiles of few clusters
    are too narrow (12 topics: 4.4 % of equal models promoted at a level of 2.5 %), so they are stretched to Student's law;
    one cluster says nothing, and its interval is all that is possible.

    Source: Hesterberg (2015), "What teachers should know about the bootstrap", the expanded percentile interval.
    """
    from scipy.stats import norm, t

    difference = np.asarray(challenger, dtype=float) - np.asarray(incumbent, dtype=float)
    labels, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums, sizes = np.bincount(codes, weights=difference), np.bincount(codes).astype(float)
    draws = np.random.default_rng(seed).integers(len(labels), size=(BOOTSTRAPS, len(labels)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [level, 1 - level])
    estimate = float(difference.mean())
    if len(labels) < 2:
        return estimate, -1.0, 1.0
    if not difference.any():  # not one item differs; the exact bound of a share of 0
        most = 1 - level ** (1 / len(difference))
        return 0.0, -most, most
    if np.ptp(sums / sizes) == 0:  # no spread to resample: items are taken for independent
        if (
            not difference.std()
        ):  # all won, or all lost; the exact bound of a share of 1, the rest taken for the contrary
            bound = 2 * level ** (1 / len(difference)) - 1
            return (estimate, bound, 1.0) if estimate > 0 else (estimate, -1.0, -bound)
        error = t.ppf(1 - level, len(difference) - 1) * difference.std(ddof=1) / np.sqrt(len(difference))
        return estimate, max(-1.0, float(estimate - error)), min(1.0, float(estimate + error))
    few = np.sqrt(len(labels) / (len(labels) - 1)) * t.ppf(level, len(labels) - 1) / norm.ppf(level)
    return (
        estimate,
        max(-1.0, float(estimate - few * (estimate - low))),
        min(1.0, float(estimate + few * (high - estimate))),
    )


def chance_of_gain(
    challenger: Sequence[bool], incumbent: Sequence[bool], clusters: Sequence[str], seed: int = 0
) -> float:
    """One-sided p-value of the difference, were the two systems exchangeable on each cluster of items.

    Which of two equal systems did better on a topic is a coin's toss, so the sums of the topics' differences change sign at
    random. That is exact however few topics there are, where a bootstrap is not (2 to 8 topics: equal models were promoted in 3.7
    to 5.6 % of cases at a level of 2.5 %); five topics can never show a gain at 2.5 %, since 1/32 is more.

    Source: Fisher (1935), the permutation test of paired differences; all sign patterns up to 12 topics, else 10,000 of them.
    """
    from scipy.stats import permutation_test

    difference = np.asarray(challenger, dtype=float) - np.asarray(incumbent, dtype=float)
    _, codes = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.bincount(codes, weights=difference)
    if len(sums) < 2 or not sums.any():
        return 1.0
    found = permutation_test(
        (sums,), np.sum, permutation_type="samples", alternative="greater", vectorized=True,
        n_resamples=FLIPS, rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def mcnemar(challenger: Sequence[bool], incumbent: Sequence[bool]) -> float:
    """Exact two-sided p-value that neither of two systems is more often right alone; items count as independent.

    Source: McNemar (1947); exact by the binomial law of the discordant pairs.
    """
    from scipy.stats import binomtest

    ours, theirs = np.asarray(challenger, dtype=bool), np.asarray(incumbent, dtype=bool)
    won, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    return 1.0 if won + lost == 0 else float(binomtest(won, won + lost, 0.5).pvalue)


def regression_gate(
    outcomes: pd.DataFrame, challenger: str, incumbent: str, margins: Margins | None = None, seed: int = 0
) -> CheckResult:
    """Promote or not: the primary metric is better beyond chance, and every loss as large as its margin is ruled out.

    Better beyond chance asks for both: an interval above zero, and a permutation test at the same level. A loss of a metric that
    was not measured is not ruled out; nor is that in a task in which the two were not tried together.

    Args:
        outcomes: one line a metric and item with ``metric``, ``id``, ``task``, ``topic`` and a true/false column a system;
            missing where a system was not tried.
        challenger: column of the new model.
        incumbent: column of the champion, or of what stands in where there is no champion yet.
        margins: thresholds; those of ``margins.yaml`` by default.
        seed: of the bootstrap.

    Returns:
        The verdict; its table has a line a comparison with its ``rule`` (``better``, ``not worse`` or ``shown``), whether it
        ``holds``, and McNemar's exact p-value beside. Other systems are compared with the challenger for show.

    Raises:
        ValueError: the primary metric was not measured for both.
    """
    margins = margins or read_margins()
    primary = _tried(outcomes, margins.primary, challenger, incumbent)
    if primary.empty:
        raise ValueError(f"metric {margins.primary!r} was not measured for both {challenger!r} and {incumbent!r}")
    lines = [_line(primary, margins.primary, "all", challenger, incumbent, margins.level, seed, None)]
    for metric, margin in margins.margins.items():
        part = _tried(outcomes, metric, challenger, incumbent)
        if part.empty:
            lines.append(_unmeasured(metric, incumbent, margin.task if margin.all is None else margin.all))
            continue
        if margin.all is not None:
            lines.append(_line(part, metric, "all", challenger, incumbent, margins.loss_level, seed, margin.all))
        if margin.task is not None:
            lines += [
                _line(items, metric, str(task), challenger, incumbent, margins.loss_level, seed, margin.task)
                for task, items in part.groupby("task", sort=True)
            ]
            asked = outcomes.loc[outcomes["metric"] == metric, "task"]
            lines += [
                _unmeasured(metric, incumbent, margin.task, task)
                for task in sorted(set(asked.astype(str)) - set(part["task"].astype(str)))
            ]
    for other in [name for name in outcomes.columns if name not in (*FACTS, challenger, incumbent)]:
        part = _tried(outcomes, margins.primary, challenger, other)
        if len(part):
            lines.append(
                {
                    **_line(part, margins.primary, "all", challenger, other, margins.level, seed, None),
                    "rule": "shown",
                    "holds": True,
                }
            )
    table = pd.DataFrame(lines)
    return CheckResult("regression gate", bool(table["holds"].all()), _told(table, margins), table)


def _tried(outcomes: pd.DataFrame, metric: str, challenger: str, other: str) -> pd.DataFrame:
    part = outcomes[outcomes["metric"] == metric]
    return part[part[challenger].notna() & part[other].notna()] if other in part and challenger in part else part[:0]


def _line(
    items: pd.DataFrame,
    metric: str,
    task: str,
    challenger: str,
    other: str,
    level: float,
    seed: int,
    margin: float | None,
) -> dict[str, object]:
    ours, theirs = items[challenger].astype(bool).tolist(), items[other].astype(bool).tolist()
    estimate, low, high = compare_paired(ours, theirs, items["topic"].tolist(), level=level, seed=seed)
    chance = chance_of_gain(ours, theirs, items["topic"].tolist(), seed) if margin is None else None
    return {
        "metric": metric,
        "task": task,
        "questions": len(items),
        "challenger": float(np.mean(ours)),
        "other": float(np.mean(theirs)),
        "against": other,
        "difference": estimate,
        "low": low,
        "high": high,
        "rule": "better" if margin is None else "not worse",
        "margin": margin,
        "holds": low > -margin if margin is not None else low > 0 and chance is not None and chance <= level,
        "chance_of_gain": chance,
        "mcnemar": mcnemar(ours, theirs),
    }


def _unmeasured(metric: str, other: str, margin: float | None, task: str = "all") -> dict[str, object]:
    facts = {"metric": metric, "task": task, "questions": 0, "against": other}
    return {**facts, "rule": "not worse", "margin": margin, "holds": False}


def _told(table: pd.DataFrame, margins: Margins) -> str:
    first = table.iloc[0]
    told = [
        f"{first['metric']}, all tasks: {first['challenger']:.3f} against {first['other']:.3f} of {first['against']}, difference "
        f"{first['difference']:+.3f} ({1 - 2 * margins.level:.0%} interval {first['low']:+.3f} to {first['high']:+.3f}): "
        + ("better beyond chance" if first["holds"] else "not shown to be better")
    ]
    for row in table[(table["rule"] == "not worse") & ~table["holds"]].to_dict("records"):
        where = row["metric"] if row["task"] == "all" else f"{row['metric']}, task {row['task']}"
        if not row["questions"]:
            told.append(f"{where}: not measured, so no fall is ruled out (measure it, or take it out of margins.yaml)")
            continue
        told.append(
            f"{where}: a fall by more than {row['margin']:g} is not ruled out (difference {row['difference']:+.3f}, "
            f"at worst {row['low']:+.3f})"
        )
    return "; ".join(told) + "."
