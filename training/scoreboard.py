"""Every outcome of an evaluation in one table, and the scoreboard made of it.

Outcomes are true where all is well, so that every figure is a share, and more is better.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from training.metrics import FIELDS, cluster_interval, field_matches, soft_matches

FACTS = ("metric", "id", "task", "topic")
METRICS = {
    "reading_exact": "all fields of the reading exactly right",
    "reading_soft": "the same, spelling and number format aside",
    "answer_delivered": "a result came (pass rate)",
    "answer_relevant": "and it is of the question asked (relevance)",
    "answer_correct": "and it is as near to the simulated truth as it promises (win rate)",
    "explanation_faithful": "the model's own text invents nothing",
    "explanation_complete": "it leaves no number, name or method out",
    "explanation_fluent": "it reads as a person would write",
}


def outcomes_of(readings: pd.DataFrame, answers: pd.DataFrame, explanations: pd.DataFrame) -> pd.DataFrame:
    """All outcomes, one line a metric and item, one column a system; missing where a system was not tried.

    Args:
        readings: ``id``, ``task``, ``topic``, ``question``, ``query`` and a column a system, readings as JSON; missing
            where a hosted model gave none.
        answers: ``id``, ``task``, ``topic``, ``system``, ``delivered``, ``relevant``, ``correct``.
        explanations: ``id``, ``task``, ``topic``, ``system``, ``faithful``, ``complete``, ``fluent``.
    """
    systems = systems_of(readings)
    parts = []
    truths = readings["query"].map(json.loads)
    for metric, matches in (("reading_exact", field_matches), ("reading_soft", soft_matches)):
        right: dict[str, Any] = {
            s: [
                None if pd.isna(text) else matches(json.loads(text), truth)["all"]
                for text, truth in zip(readings[s], truths, strict=True)
            ]
            for s in systems
        }
        parts.append(readings[["id", "task", "topic"]].assign(metric=metric, **right))
    for name, table in (("answer", answers), ("explanation", explanations)):
        for column in [c for c in table.columns if f"{name}_{c}" in METRICS]:
            wide = table.set_index(["id", "task", "topic", "system"])[column].unstack("system").reset_index()  # noqa: PD010
            parts.append(wide.assign(metric=f"{name}_{column}"))
    found = pd.concat(parts, ignore_index=True)
    others = [name for name in found.columns if name not in FACTS]
    return found[[*FACTS, *others]]


def scoreboard(outcomes: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Shares with 95 % intervals (bootstrap over topics): a line a metric, system and task, ``all`` first.

    Args:
        outcomes: of :func:`outcomes_of`.
        seed: of the bootstrap.
    """
    lines = []
    for metric, part in outcomes.groupby("metric", sort=False):
        for system in [name for name in outcomes.columns if name not in FACTS]:
            tried = part[part[system].notna()]
            if tried.empty:
                continue
            for task, items in [("all", tried), *tried.groupby("task", sort=True)]:
                values = items[system].to_numpy(float)
                low, high = cluster_interval(values, items["topic"].to_numpy(), seed)
                lines.append((metric, system, str(task), values.mean(), low, high, int(values.sum()), len(values)))
    columns = ["metric", "system", "task", "share", "low", "high", "right", "questions"]
    return pd.DataFrame(lines, columns=columns)


def field_scores(readings: pd.DataFrame) -> pd.DataFrame:
    """Entity extraction by field: a line a system and field, exact and soft share right."""
    truths = readings["query"].map(json.loads)
    lines = []
    for system in systems_of(readings):
        there = readings[system].notna()
        pairs = list(zip(readings[system][there].map(json.loads), truths[there], strict=True))
        exact, soft = ([matches(p, t) for p, t in pairs] for matches in (field_matches, soft_matches))
        lines += [
            (system, name, float(np.mean([m[name] for m in exact])), float(np.mean([m[name] for m in soft])))
            for name in FIELDS
        ]
    return pd.DataFrame(lines, columns=["system", "field", "exact", "soft"])


def systems_of(readings: pd.DataFrame) -> list[str]:
    """The systems that have a column in a table of readings."""
    facts = {"id", "task", "topic", "question", "query"}
    return [str(name) for name in readings.columns if name not in facts and not str(name).startswith("seconds ")]


def time_and_cost(
    seconds: Mapping[str, Sequence[float]], dollars: Mapping[str, Sequence[float]], seed: int = 0
) -> pd.DataFrame:
    """Seconds and dollars a question, with 95 % intervals of the mean (bootstrap over questions).

    Args:
        seconds: by system, of each question.
        dollars: by system, likewise; a system that is not there costs nothing but electricity.
    """
    random = np.random.default_rng(seed)

    def mean_of(figures: Sequence[float]) -> tuple[float, float, float]:
        values = np.asarray(figures, dtype=float)
        means = values[random.integers(len(values), size=(1000, len(values)))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return float(values.mean()), float(low), float(high)

    lines = [
        (system, len(times), *mean_of(times), *(mean_of(dollars[system]) if dollars.get(system) else (0.0, 0.0, 0.0)))
        for system, times in seconds.items()
        if len(times)
    ]
    columns = ["system", "questions", "seconds", "low", "high", "dollars", "dollars_low", "dollars_high"]
    return pd.DataFrame(lines, columns=columns)
