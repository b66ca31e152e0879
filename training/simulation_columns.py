"""How a column of a simulated file looks: its levels or range, and where a value lies in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import Condition, Scalar
from causal_tools.treatment import ordered_levels
from training.topic_library import Variable


@dataclass(frozen=True)
class Column:
    """How one column looks: ``levels`` with their ``scores`` in [-1, 1], reference first, or numbers from low to high.

    Drawn values are numbers, or positions in ``levels``.
    """

    levels: tuple[Scalar, ...]
    scores: np.ndarray
    low: float = 0.0
    high: float = 1.0
    decimals: int = 0

    @property
    def is_amount(self) -> bool:
        """Whether the causal tools read it as an amount, when it is a treatment."""
        return not self.levels or (len(self.levels) > 2 and not isinstance(self.levels[0], str))

    def score(self, values: np.ndarray) -> np.ndarray:
        """(rows,) in [-1, 1]; straight in the number, where the column holds numbers."""
        if self.levels:
            return np.asarray(self.scores[values.astype(int)])
        return (2 * values - self.low - self.high) / (self.high - self.low)

    def amount(self, values: np.ndarray) -> np.ndarray:
        """(rows,) in the units of the column; positions for texts."""
        if self.levels and not isinstance(self.levels[0], str):
            return np.array(self.levels, dtype=float)[values.astype(int)]
        return values

    def settle(self, latent: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """(rows,) values from a latent position in [-1, 1]; two levels are drawn with a chance straight in it."""
        share = (np.clip(latent, -1, 1) + 1) / 2
        if len(self.levels) == 2:
            return (uniform < share).astype(float)
        if self.levels:
            return np.round(share * (len(self.levels) - 1))
        return np.round(self.low + share * (self.high - self.low), self.decimals)

    def mean(self, latent: np.ndarray, uniform: np.ndarray) -> float:
        """Mean amount over the rows, with the chance itself where there are two levels."""
        if len(self.levels) == 2:
            low, high = self.amount(np.array([0.0, 1.0]))
            return float(low + (high - low) * np.mean((np.clip(latent, -1, 1) + 1) / 2))
        return float(self.amount(self.settle(latent, uniform)).mean())

    def meets(self, values: np.ndarray, condition: Condition) -> np.ndarray:
        """(rows,) whether the condition holds."""
        if self.levels:
            met = np.array([holds(level, condition) for level in self.levels])
            return np.asarray(met[values.astype(int)])
        distinct, places = np.unique(values, return_inverse=True)
        return np.array([holds(value, condition) for value in distinct.tolist()])[places]

    def written(self, values: np.ndarray) -> list[Any]:
        """The values as the file holds them."""
        if self.levels:
            return [self.levels[code] for code in values.astype(int).tolist()]
        return values.astype(int).tolist() if self.decimals == 0 else values.tolist()


def holds(value: Scalar, condition: Condition) -> bool:
    """Whether one value meets a condition."""
    asked = condition.value
    if isinstance(asked, tuple):
        return any(str(value) == str(one) for one in asked)
    if condition.operator in ("=", "!="):
        equal = str(value) == str(asked) if isinstance(value, str) else float(value) == float(asked)
        return equal == (condition.operator == "=")
    first, second = float(value), float(asked)
    return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[condition.operator]


def describe(variable: Variable, random: np.random.Generator) -> Column:
    """The column that stands for a variable; levels that are texts get scores in random order."""
    if not variable.discrete:
        low, high = (float(value) for value in variable.values)  # noqa: PD011
        decimals = 0 if variable.kind == "count" else max(0, 2 - math.floor(math.log10(high - low)))
        grid = 10**decimals
        low, high = math.ceil(low * grid - 1e-6) / grid, math.floor(high * grid + 1e-6) / grid
        return Column((), np.empty(0), low, high, decimals)
    levels = tuple(ordered_levels(pd.Series(list(variable.values), dtype=object)))
    scores = np.linspace(-1, 1, len(levels))
    if isinstance(levels[0], str):
        return Column(levels, scores if len(levels) == 2 or variable.kind == "ordinal" else random.permutation(scores))
    numbers = np.array(levels, dtype=float)
    return Column(levels, 2 * (numbers - numbers[0]) / (numbers[-1] - numbers[0]) - 1)


def region(column: Column, condition: Condition) -> tuple[float, float]:
    """The range of a numeric column that meets a condition, or lies about the value asked for."""
    value, reach = float(condition.value), 0.15 * (column.high - column.low)  # type: ignore[arg-type]
    if condition.operator == "=":
        return max(column.low, value - reach), min(column.high, value + reach)
    return (value, column.high) if condition.operator in (">", ">=") else (column.low, value)


def asked_score(column: Column, condition: Condition) -> float:
    """The score of the units asked about, or the middle of theirs."""
    if column.levels:
        met = np.array([holds(level, condition) for level in column.levels])
        return float(column.scores[met].mean()) if met.any() else 0.0
    low, high = region(column, condition)
    value = float(condition.value) if condition.operator == "=" else (low + high) / 2  # type: ignore[arg-type]
    return float(column.score(np.array([value]))[0])
