"""Which units a question is about: rows that meet its conditions, or a point on a continuous column."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.contract import Condition, Scalar
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.repeated_units import is_identifier
from causal_tools.treatment import is_numeric, native
from causal_tools.written_dates import day_first

ENOUGH_AT_VALUE = 30
SHARE_AT_VALUE = 0.02
FEWEST_MEETING = 20
FEW_NEARBY = 10
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TRUE_WORDS, FALSE_WORDS = ("true", "yes", "y", "1", "t"), ("false", "no", "n", "0", "f")


@dataclass(frozen=True)
class Target:
    """The units asked about.

    Attributes:
        mask: (rows,) the rows that meet every condition that many rows can meet exactly.
        points: continuous columns and the value asked for, to be evaluated on a fitted curve.
    """

    mask: np.ndarray
    points: dict[str, float] = field(default_factory=dict)
    text: str = "all units"
    warnings: list[str] = field(default_factory=list)

    def standardised(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """The points' columns, (rows, points), and the values asked for, (1, points), in standard deviations."""
        columns = rows[list(self.points)].to_numpy(dtype=float)
        centre, spread = columns[self.mask].mean(axis=0), columns[self.mask].std(axis=0)
        return (columns - centre) / spread, (np.array([list(self.points.values())]) - centre) / spread

    @property
    def is_everyone(self) -> bool:
        """Whether no condition singles out units, so that an effect is one number."""
        return not self.points and bool(self.mask.all())

    def nearby(self, rows: pd.DataFrame) -> np.ndarray:
        """(rows,) whether a row meets the conditions, within a quarter of a standard deviation of each point."""
        near = self.mask.copy()
        for label, value in self.points.items():
            column = rows[label].to_numpy(dtype=float)
            near &= np.abs(column - value) <= 0.25 * column.std()
        return near


def find_target(conditions: tuple[Condition, ...], rows: pd.DataFrame) -> Target:
    """The rows and points that the conditions, together, describe.

    An equality on a number that few rows share becomes a point; every other condition selects rows.

    Raises:
        EstimationRefused: no rows meet the conditions, or too few.
        QueryError: a value or an operator does not fit its column.
    """
    mask = np.ones(len(rows), dtype=bool)
    points: dict[str, float] = {}
    warnings: list[str] = []
    for condition in conditions:
        column = rows[condition.column]
        if condition.operator == "=" and _is_point(column, condition):
            value = _number(condition.value, condition)
            if points.get(condition.column, value) != value:
                raise QueryError(
                    f"the conditions ask for {condition.column} = {points[condition.column]:g} and {value:g} at once."
                )
            points[condition.column] = value
        else:
            mask &= _meets(column, condition)
    text = " and ".join(map(str, conditions)) or "all units"
    if not mask.any():
        raise EstimationRefused(f"no row meets {text}. {_what_there_is(conditions, rows)}")
    if mask.sum() < FEWEST_MEETING:
        raise EstimationRefused(
            f"only {int(mask.sum())} row(s) meet {text}; at least {FEWEST_MEETING} are needed. Ask about a wider group."
        )
    for label, value in points.items():
        values = rows[label].to_numpy(dtype=float)[mask]
        if values.std() == 0:
            raise EstimationRefused(
                f"{label} is always {values[0]:g} among the rows that meet the other conditions. "
                f"Ask about {label} = {values[0]:g}."
            )
        away = max(values.min() - value, value - values.max())
        if away > values.max() - values.min():
            raise EstimationRefused(
                f"{label} = {value:g} lies far outside the data ({values.min():.4g} to {values.max():.4g}): nothing there can "
                "be told from them. Ask about a value within, or a condition with < or >."
            )
        if away > 0:
            warnings.append(
                f"{label} = {value:g} lies outside the data ({values.min():.4g} to {values.max():.4g}); the answer "
                "extends the fitted curve beyond them"
            )
    if conditions and mask.all() and not points:
        warnings.append(f"every usable row meets {text}: the answer is about all of them")
    warnings += [
        f"{condition.column!r} tells rows or units apart and measures nothing, so {condition} picks them by number or name; "
        "was another column meant?"
        for condition in conditions
        if is_identifier(rows[condition.column], condition.column)
    ]
    target = Target(mask, points, text, warnings)
    if points and not any("outside the data" in line for line in warnings):
        near = int(target.nearby(rows).sum())
        if near < FEW_NEARBY:
            warnings.append(f"{near} row(s) lie near {text}; the answer there is read off a curve fitted to the others")
    return target


def _is_point(column: pd.Series, condition: Condition) -> bool:
    if not is_numeric(column) or column.nunique() <= 2:
        return False
    value = _number(condition.value, condition)
    sharing = int(np.sum(column.to_numpy(dtype=float) == value))
    return sharing < max(ENOUGH_AT_VALUE, SHARE_AT_VALUE * len(column))


def _number(value: Scalar | tuple[Scalar, ...], condition: Condition) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryError(
            f"the condition {condition} compares numbers of {condition.column!r} with {value!r}. Give a number."
        ) from error
    if not np.isfinite(number):
        raise QueryError(
            f"the condition {condition} compares {condition.column!r} with {value!r}. Give a finite number."
        )
    return number


def _meets(column: pd.Series, condition: Condition) -> np.ndarray:
    if condition.operator in COMPARE:
        return np.asarray(COMPARE[condition.operator](*_ordered(column, condition)), dtype=bool)
    met = np.zeros(len(column), dtype=bool)
    for value in condition.all_values:
        met |= _equals(column, value, condition)
    return ~met if condition.operator == "!=" else met


def _ordered(column: pd.Series, condition: Condition) -> tuple[Any, Any]:
    if is_numeric(column):
        return column.to_numpy(dtype=float), _number(condition.value, condition)
    if pd.api.types.is_datetime64_any_dtype(column):
        period = _period(condition.value, condition)
        return column.dt.to_period(period.freq), period
    raise QueryError(
        f"the condition {condition} orders the texts of {condition.column!r}. Use '=' or 'in' with "
        f"{', '.join(repr(native(level)) for level in column.unique()[:6])}."
    )


def _period(value: object, condition: Condition) -> pd.Period:
    """The day, month or year that a date names, as far as it is written: after 2022 is from 2023 on."""
    period = None
    with suppress(ValueError):
        period = pd.Period(day_first(str(value)))
    if not isinstance(period, pd.Period):
        raise QueryError(f"the condition {condition} needs a date such as 2024-03-31; given {value!r}.")
    return period


def _equals(column: pd.Series, value: Scalar, condition: Condition) -> np.ndarray:
    if is_numeric(column):
        return np.asarray(column.to_numpy(dtype=float) == _number(_as_truth(value), condition))
    if pd.api.types.is_datetime64_any_dtype(column):
        period = _period(value, condition)
        return np.asarray(column.dt.to_period(period.freq) == period)
    word = _word(value)
    levels = {str(native(level)): _word(native(level)) for level in column.unique()}
    if pd.api.types.is_bool_dtype(column) or set(levels.values()) <= {"true", "false"}:
        word = "true" if word in TRUE_WORDS else "false" if word in FALSE_WORDS else word
    fitting = [level for level, reduced in levels.items() if level == str(value)] or [
        level for level, reduced in levels.items() if reduced == word
    ]
    if not fitting:
        listed = ", ".join(sorted(levels)[:10])
        raise EstimationRefused(
            f"no row meets {condition}: {condition.column} has the values {listed}. Use one of these."
        )
    codes, distinct = pd.factorize(column)
    return np.array([str(native(level)) in fitting for level in distinct], dtype=bool)[codes]


def _word(value: Scalar) -> str:
    return " ".join(str(native(value)).casefold().replace("_", " ").split())


def _as_truth(value: Scalar) -> Scalar:
    """A number column of 0 and 1 may be asked for in words."""
    if isinstance(value, str) and value.strip().casefold() in ("true", "yes"):
        return 1
    if isinstance(value, str) and value.strip().casefold() in ("false", "no"):
        return 0
    return value


def _what_there_is(conditions: tuple[Condition, ...], rows: pd.DataFrame) -> str:
    said = []
    for label in dict.fromkeys(condition.column for condition in conditions):
        column = rows[label]
        if is_numeric(column):
            said.append(f"{label} lies between {column.min():.4g} and {column.max():.4g}")
        else:
            said.append(
                f"{label} has the values {', '.join(sorted(str(native(level)) for level in column.unique())[:10])}"
            )
    return "In the usable rows " + "; ".join(said) + "."
