"""What was compared with what: treatments and responses as numbers, whatever they look like in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causal_tools.contract import Scalar
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.reference_levels import reference_level

FEWEST_IN_LEVEL = 10
MOST_LEVELS = 10


@dataclass(frozen=True)
class Treatment:
    """A treatment column as an estimator takes it.

    Attributes:
        levels: levels of a discrete treatment, the reference first; empty when it is continuous.
        data: (rows,) codes into ``levels``, or the numbers themselves.
        target: the level that is compared with the reference.
        moved: the amounts between which a continuous treatment is moved.
        asked: whether the query named the levels or amounts to compare.
    """

    name: str
    levels: tuple[Scalar, ...]
    data: np.ndarray
    target: int = 1
    moved: tuple[float, float] = (0.0, 1.0)
    asked: bool = False

    @property
    def discrete(self) -> bool:
        return bool(self.levels)

    @property
    def contrast(self) -> tuple[Scalar, Scalar]:
        return (
            (self.levels[0], self.levels[self.target])
            if self.discrete
            else (native(self.moved[0]), native(self.moved[1]))
        )

    @property
    def read_as(self) -> str:
        """Whether its values were taken for amounts or for levels, as diagnostics say it."""
        return "levels" if self.discrete else "amount"

    def wording(self) -> str:
        """The contrast in words, as summaries and plots say it."""
        if not self.discrete and not self.asked:
            return "one unit more"
        return f"{self.contrast[1]} instead of {self.contrast[0]}"


@dataclass(frozen=True)
class Response:
    """A response or mediator as numbers; ``binary`` ones are 0 and 1."""

    name: str
    data: np.ndarray
    binary: bool


def native(value: object) -> Scalar:
    """A level as a plain Python value, whole floats as integers."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)


def ordered_levels(column: pd.Series) -> list[Scalar]:
    """The levels in the order that an ordered categorical gives them; else sorted, one that is called a control first."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        return [native(level) for level in column.cat.remove_unused_categories().cat.categories]
    levels = [native(level) for level in column.dropna().unique()]
    numeric = all(not isinstance(level, str) for level in levels)
    ordered = sorted(levels, key=(lambda level: float(level)) if numeric else (lambda level: str(level)))
    if numeric:
        return ordered
    first = reference_level([str(level) for level in ordered])
    return sorted(ordered, key=lambda level: str(level) != first)


def is_numeric(column: pd.Series) -> bool:
    """Numbers that are not merely truth values."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def codes_of(column: pd.Series, levels: list[Scalar]) -> np.ndarray:
    """(rows,) position of each row's level."""
    position = {level: code for code, level in enumerate(levels)}
    codes, distinct = pd.factorize(column)
    return np.array([position[native(value)] for value in distinct], dtype=int)[codes]


def read_treatment(
    column: pd.Series, notes: list[str], *, as_actions: bool = False, contrast: tuple[Scalar, Scalar] | None = None
) -> Treatment:
    """A discrete treatment (two values, truth values or texts) or a continuous one (numbers of three values or more).

    The reference is the first level of an ordered categorical, else in sorted order, or one named as a control; it is compared
    with the most frequent other level. With ``as_actions`` numbers are discrete too: up to ten values are actions as they stand,
    more are grouped at their quartiles. With a ``contrast`` these two are compared: levels where the column has at most ten
    values, amounts where it has more.

    Raises:
        EstimationRefused: the treatment is constant, or has a level for almost every row.
        QueryError: the column holds dates, has no such level, or the contrast names one level twice.
    """
    name = str(column.name)
    if pd.api.types.is_datetime64_any_dtype(column):
        raise QueryError(f"the treatment {name!r} holds dates. Derive a column that says who was treated.")
    distinct = column.nunique()
    if distinct < 2:
        given = f"is always {native(column.iloc[0])!r}" if len(column) else "has no values"
        raise EstimationRefused(
            f"the treatment {name!r} {given} in the usable rows, so nothing can be compared. "
            "Add rows under another treatment."
        )
    if is_numeric(column) and distinct > (MOST_LEVELS if contrast else 2) and not as_actions:
        if contrast:
            return Treatment(name, (), column.to_numpy(dtype=float), moved=_amounts(column, contrast), asked=True)
        if distinct <= MOST_LEVELS:
            notes.append(
                f"the treatment {name!r} has {distinct} numeric values and is read as an amount: the effect is "
                "per unit. Give a contrast to compare two of its values"
            )
        return Treatment(name, (), column.to_numpy(dtype=float))
    if is_numeric(column) and distinct > MOST_LEVELS:
        column = _quartiles(column, notes)
    levels = ordered_levels(column)
    if len(levels) > max(MOST_LEVELS, len(column) // 50):
        raise EstimationRefused(
            f"the treatment {name!r} has {len(levels)} different texts in {len(column)} rows: too few "
            "rows under each. Group them into at most ten levels."
        )
    if contrast:
        first, second = (_level(column, level, levels) for level in contrast)
        if first == second:
            raise QueryError(_of_one(column, contrast, f"both are the level {first!r}"))
        levels = [first, *(level for level in levels if level != first)]
        return Treatment(name, tuple(levels), codes_of(column, levels), levels.index(second), asked=True)
    codes = codes_of(column, levels)
    counts = np.bincount(codes, minlength=len(levels))
    return Treatment(name, tuple(levels), codes, 1 + int(np.argmax(counts[1:])))


def levels_meant(asked: Scalar, levels: Sequence[Scalar]) -> list[Scalar]:
    """The levels that a contrast may mean: the same one, else those that are the same but for case and type."""
    if asked in levels and not isinstance(asked, bool):
        return [levels[levels.index(asked)]]
    return [level for level in levels if str(level).strip().casefold() == str(asked).strip().casefold()]


def _level(column: pd.Series, asked: Scalar, levels: list[Scalar]) -> Scalar:
    """The level that a contrast means."""
    fitting = levels_meant(asked, levels)
    if len(fitting) != 1:
        listed = ", ".join(map(str, levels[:MOST_LEVELS]))
        raise QueryError(
            f"the treatment {column.name!r} has no level {str(asked)!r} that could be compared. It has: {listed}"
            f"{', …' if len(levels) > MOST_LEVELS else ''}"
        )
    return fitting[0]


def _of_one(column: pd.Series, contrast: tuple[Scalar, Scalar], why: str) -> str:
    return (
        f"the contrast {contrast[0]!r} to {contrast[1]!r} compares nothing: {why} of {column.name!r}. "
        "Give two different ones."
    )


def _amounts(column: pd.Series, contrast: tuple[Scalar, Scalar]) -> tuple[float, float]:
    """The two amounts of a contrast, which must lie within what was seen."""
    low, high = float(column.min()), float(column.max())
    amounts = []
    for asked in contrast:
        try:
            amounts.append(float(asked))
        except ValueError:
            raise QueryError(f"the treatment {column.name!r} is a number; the contrast holds {asked!r}") from None
    if not all(low <= amount <= high for amount in amounts):
        raise QueryError(
            f"the contrast {amounts[0]:g} to {amounts[1]:g} leaves the range of {column.name!r}, {low:g} to {high:g}: "
            "nothing was seen there"
        )
    if amounts[0] == amounts[1]:
        raise QueryError(_of_one(column, contrast, f"both are the amount {native(amounts[0])}"))
    return amounts[0], amounts[1]


def _quartiles(column: pd.Series, notes: list[str]) -> pd.Series:
    edges = np.unique(np.quantile(column, [0, 0.25, 0.5, 0.75, 1]))
    groups = np.clip(np.searchsorted(edges, column.to_numpy(dtype=float), side="right") - 1, 0, len(edges) - 2)
    width = len(str(len(edges)))
    labels = [f"{group + 1:0{width}d}: {edges[group]:.4g} to {edges[group + 1]:.4g}" for group in range(len(edges) - 1)]
    notes.append(
        f"the treatment {column.name!r} has {column.nunique()} numeric values; its actions are the ranges between "
        f"quartiles: {', '.join(labels)}"
    )
    return pd.Series([labels[group] for group in groups], index=column.index, name=column.name)


def rare_levels(column: pd.Series, *, as_actions: bool = False) -> list[Scalar]:
    """Levels of a discrete treatment with too few rows to be compared."""
    if is_numeric(column) and (column.nunique() > MOST_LEVELS or (column.nunique() > 2 and not as_actions)):
        return []
    counts = column.value_counts()
    counts = counts[counts > 0]  # a categorical counts the levels that no row has, too
    if len(counts) <= 2:
        return []
    return sorted((native(level) for level, count in counts.items() if count < FEWEST_IN_LEVEL), key=str)


def read_response(column: pd.Series, role: str, notes: list[str]) -> Response:
    """Numbers as they are; truth values and two texts as 0 and 1, and said.

    Raises:
        EstimationRefused: all values are one.
        QueryError: texts of three or more kinds, or dates.
    """
    name = str(column.name)
    distinct = column.nunique()
    if distinct < 2:
        given = f"is always {native(column.iloc[0])!r}" if len(column) else "has no values"
        raise EstimationRefused(
            f"the {role} {name!r} {given} in the usable rows, so no effect on it can be seen. "
            "Choose a column that varies."
        )
    if pd.api.types.is_datetime64_any_dtype(column):
        raise QueryError(f"the {role} {name!r} holds dates. Derive a number from it, such as days since the start.")
    if distinct == 2:
        levels = ordered_levels(column)
        if levels not in ([0, 1], [False, True]):
            if is_numeric(column) and role == "response":
                return Response(name, column.to_numpy(dtype=float), False)
            notes.append(f"the {role} {name!r} was read as 1 for {levels[1]!r} and 0 for {levels[0]!r}")
        return Response(name, codes_of(column, levels).astype(float), True)
    if not is_numeric(column):
        shown = ", ".join(repr(native(value)) for value in column.unique()[:4])
        raise QueryError(
            f"the {role} {name!r} holds texts of {distinct} kinds ({shown}, …). "
            f"A {role} must be a number or have two values: derive such a column."
        )
    return Response(name, column.to_numpy(dtype=float), False)
