"""How well questions are read: exact and soft match by field, with intervals clustered by topic.

Source: LLM4Causal (arXiv 2312.17122), entity extraction. Questions of one topic share columns and difficulty, so intervals
resample topics, not questions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

FIELDS = ("task", "nodes", "treatment", "response", "mediator", "conditions")
BOOTSTRAPS = 1000
LARGEST_EXACT = 2**53


def field_matches(predicted: Mapping[str, Any] | None, truth: Mapping[str, Any] | None) -> dict[str, bool]:
    """Which fields of a reading are exactly right; ``None`` is a question read as not causal.

    A field that neither side has counts as right. Order does not matter in nodes and conditions. ``all`` holds when every
    field is right.
    """
    guess, gold = predicted or {"task": "NONE"}, truth or {"task": "NONE"}
    matches = {name: _canonical(guess.get(name)) == _canonical(gold.get(name)) for name in FIELDS}
    return {**matches, "all": all(matches.values())}


def soft_matches(predicted: Mapping[str, Any] | None, truth: Mapping[str, Any] | None) -> dict[str, bool]:
    """As :func:`field_matches`, but names and values are compared without case, separators and number format."""
    return field_matches(_softened(predicted), _softened(truth))


def score_table(predictions: pd.DataFrame, systems: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """One line a system and field: share right, 95 % interval (bootstrap over topics), counts.

    Args:
        predictions: one line a question with ``topic``, ``query`` (the truth) and one column a system; readings are
            mappings or None.
        systems: names of the prediction columns.
        seed: of the bootstrap.
    """
    lines = []
    for system in systems:
        exact = pd.DataFrame(
            [field_matches(p, t) for p, t in zip(predictions[system], predictions["query"], strict=True)]
        )
        soft = [soft_matches(p, t)["all"] for p, t in zip(predictions[system], predictions["query"], strict=True)]
        columns = {**{name: exact[name] for name in (*FIELDS, "all")}, "all, soft": pd.Series(soft)}
        for name, right in columns.items():
            low, high = cluster_interval(right.to_numpy(float), predictions["topic"].to_numpy(), seed)
            lines.append((system, name, float(right.mean()), low, high, int(right.sum()), len(right)))
    return pd.DataFrame(lines, columns=["system", "field", "share", "low", "high", "right", "questions"])


def cluster_interval(
    values: np.ndarray, clusters: np.ndarray, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean, resampling whole clusters, stretched to Student's law since clusters are few.

    Where every value is the same the bootstrap has no spread; the exact binomial interval over clusters is given then, so
    that a perfect score on few topics is not shown as certain.

    Args:
        values: (n,) outcomes.
        clusters: (n,) label of the cluster of each.
        seed: of the resampling.
        level: coverage aimed at.

    Source: Hesterberg (2015), "What teachers should know about the bootstrap", the expanded percentile interval.
    """
    from scipy.stats import binomtest, norm, t

    labels, codes = np.unique(clusters.astype(str), return_inverse=True)
    if values.min() == values.max() and values.min() in (0.0, 1.0):
        bound = ((1 - level) / 2) ** (1 / len(labels))
        return (bound, 1.0) if values.min() == 1.0 else (0.0, 1 - bound)
    sums = np.bincount(codes, weights=values)
    sizes = np.bincount(codes).astype(float)
    draws = np.random.default_rng(seed).integers(len(labels), size=(BOOTSTRAPS, len(labels)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    tail = (1 - level) / 2
    mean, (low, high) = values.mean(), np.quantile(means, [tail, 1 - tail])
    if len(labels) < 2:
        return 0.0, 1.0
    if np.ptp(sums / sizes) == 0:  # every cluster has the same share, so that clusters say nothing: count items
        found = binomtest(round(float(values.sum())), len(values)).proportion_ci(level)
        return float(found.low), float(found.high)
    few = np.sqrt(len(labels) / (len(labels) - 1)) * t.ppf(tail, len(labels) - 1) / norm.ppf(tail)
    return float(max(0.0, mean - few * (mean - low))), float(min(1.0, mean + few * (high - mean)))


def _canonical(value: Any) -> Any:
    if value is None or (isinstance(value, list | tuple | np.ndarray) and len(value) == 0):
        return None
    if isinstance(value, Mapping):
        return tuple(sorted((key, _canonical(item)) for key, item in value.items()))
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(sorted((_canonical(item) for item in value), key=repr))
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) > LARGEST_EXACT else float(value)  # larger ones may be none that a float can be
    return value


def _softened(reading: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if reading is None else {key: _soften(value) for key, value in reading.items()}


def _soften(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: (item if key == "operator" else _soften(item)) for key, item in value.items()}
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        return number if math.isfinite(number) else re.sub(r"[\W_]+", "", value).lower() or value
    if isinstance(value, list | tuple | np.ndarray):
        return [_soften(item) for item in value]
    return value
