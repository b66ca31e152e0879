"""The columns that are adjusted for, as a matrix without gaps; everything left out is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from causal_tools.data import column_kind
from causal_tools.repeated_units import repeats_units
from causal_tools.treatment import is_numeric, native, ordered_levels

# levels of a category that get a feature of their own: all that have rows enough, within bounds
FEWEST_DUMMIES, MOST_DUMMIES = 20, 150
ROWS_A_DUMMY = 25
MOSTLY_MISSING = 0.95
OTHER = "(other)"


@dataclass(frozen=True)
class Encoded:
    """Where one column stands among the features.

    Attributes:
        positions: of its features; one for an amount, one a level but the first for a category.
        levels: of a category, the one without a feature first; empty for an amount.
    """

    label: str
    positions: tuple[int, ...]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Covariates:
    """Adjustment columns, encoded.

    Attributes:
        matrix: (rows, features), finite, no feature a linear combination of the others.
        names: (features,) what each feature is.
        used: the file's columns behind the features.
        set_aside: columns left out, each with the reason.
        encoded: the columns all of whose features are in the matrix.
    """

    matrix: np.ndarray
    names: list[str]
    used: list[str]
    set_aside: dict[str, str] = field(default_factory=dict)
    encoded: tuple[Encoded, ...] = ()


def same_information(first: pd.Series, second: pd.Series) -> bool:
    """Whether one column is the other under new names, or numbers in an exact line with it."""
    one, two = pd.factorize(first)[0], pd.factorize(second)[0]
    present = (one >= 0) & (two >= 0)
    if present.sum() < 2:
        return False
    rows, levels = int(present.sum()), len(np.unique(one[present]))
    pairs = len(np.unique(one[present].astype(np.int64) * (int(two.max()) + 1) + two[present]))
    # values that hardly ever come back go with those of any other such column
    come_back = levels <= min(max(20, rows // 5), rows // 2)
    if pairs == levels == len(np.unique(two[present])) and come_back:
        return True
    if not (is_numeric(first) and is_numeric(second)) or first.nunique() < 3 or second.nunique() < 3:
        return False
    a, b = first.to_numpy(dtype=float)[present], second.to_numpy(dtype=float)[present]
    spread = np.std(a) * np.std(b)
    return bool(spread > 0 and abs(np.mean((a - a.mean()) * (b - b.mean())) / spread) > 1 - 1e-10)


def encode_covariates(frame: pd.DataFrame, columns: Sequence[str], notes: list[str], *, named: bool) -> Covariates:
    """Encode covariates: medians and most frequent levels for gaps, one indicator a level, capped.

    Args:
        frame: the usable rows.
        columns: the columns to adjust for.
        notes: receives what was substituted.
        named: whether the user chose the columns; then a row number counts as a number like any other.
    """
    set_aside: dict[str, str] = {}
    parts: list[np.ndarray] = []
    names: list[str] = []
    used: list[str] = []
    placed: list[Encoded] = []
    for label in columns:
        column = frame[label]
        reason = _why_not(column, label, named)
        twin = next((other for other in used if column.equals(frame[other])), None)
        if reason or twin:
            set_aside[label] = reason or f"the same values as {twin}"
            continue
        block, block_names, levels = _encode(column, label, notes)
        if not _spread(block)[1].any():
            set_aside[label] = "varies too little, or too widely, to be computed with"
            continue
        parts.append(block)
        placed.append(Encoded(label, tuple(range(len(names), len(names) + max(1, len(levels) - 1))), levels))
        names += block_names
        used.append(label)
    matrix = np.column_stack(parts) if parts else np.empty((len(frame), 0))
    keep = independent_features(matrix)
    if len(keep) < matrix.shape[1]:
        gone = [name for position, name in enumerate(names) if position not in set(keep)]
        notes.append(f"left out because other covariates determine them: {', '.join(gone)}")
    if set_aside:
        notes.append("columns set aside: " + "; ".join(f"{label} ({reason})" for label, reason in set_aside.items()))
    return Covariates(matrix[:, keep], [names[position] for position in keep], used, set_aside, _kept(placed, keep))


def _kept(placed: list[Encoded], keep: list[int]) -> tuple[Encoded, ...]:
    """The columns none of whose features was left out, at their new positions."""
    new = {old: position for position, old in enumerate(keep)}
    return tuple(
        Encoded(column.label, tuple(new[old] for old in column.positions), column.levels)
        for column in placed
        if set(column.positions) <= new.keys()
    )


def _why_not(column: pd.Series, label: str, named: bool) -> str | None:
    kind = column_kind(column, label)
    if kind == "identifier" and named and is_numeric(column):
        return None
    reasons = {
        "identifier": "one value a row",
        "text": "free text",
        "constant": "constant",
        "empty": "empty",
        "unsupported": "holds lists or objects",
    }
    if kind in reasons and not (kind == "constant" and column.isna().any()):
        return reasons[kind]
    if not named and is_numeric(column) and repeats_units(column, label):
        return "tells units apart"
    if column.isna().mean() > MOSTLY_MISSING:
        return "almost always missing"
    return None


def _encode(column: pd.Series, label: str, notes: list[str]) -> tuple[np.ndarray, list[str], tuple[str, ...]]:
    """Features, their names, and the levels of a category."""
    levels: list[str] = []
    missing = column.isna().to_numpy()
    if column_kind(column, label) == "constant":
        notes.append(f"the covariate {label!r} has one value and gaps; the gaps were taken as a level of their own")
        return missing.astype(float)[:, None], [f"{label} missing"], ()
    if pd.api.types.is_datetime64_any_dtype(column):
        column = (column - column.min()).dt.total_seconds() / 86_400
        notes.append(f"the dates in {label!r} were read as days since the first")
    if is_numeric(column):
        numbers = column.to_numpy(dtype=float)
        filled = float(np.nanmedian(numbers))
        block, names = np.where(missing, filled, numbers)[:, None], [label]
        by = f"the median {filled:.4g}"
    else:
        levels, texts = _capped_levels(column, label, notes)
        most_frequent = texts.mode().iloc[0]
        by = f"the most frequent level {most_frequent!r}"
        texts = texts.where(~missing, most_frequent)
        block = np.column_stack([(texts == level).to_numpy(dtype=float) for level in levels[1:]])
        names = [f"{label} = {level}" for level in levels[1:]]
    if missing.any():
        notes.append(
            f"{int(missing.sum())} missing value(s) of the covariate {label!r} were replaced by {by}, "
            "with an indicator of where"
        )
        block = np.column_stack([block, missing.astype(float)])
        names.append(f"{label} missing")
    return block, names, tuple(levels)


def _capped_levels(column: pd.Series, label: str, notes: list[str]) -> tuple[list[str], pd.Series]:
    codes, distinct = pd.factorize(column)
    named = np.array([*(str(native(value)) for value in distinct), np.nan], dtype=object)  # a gap has the code -1
    present = pd.Series(named[codes], index=column.index, dtype=object)
    counts = present.value_counts()
    levels = [str(level) for level in ordered_levels(present)]
    most = int(np.clip(len(column) // ROWS_A_DUMMY, FEWEST_DUMMIES, MOST_DUMMIES))
    if len(levels) > most:
        kept = set(counts.index[: most - 1])
        present = present.where(present.isin(kept) | present.isna(), OTHER)
        notes.append(
            f"the covariate {label!r} has {len(levels)} levels; the {most - 1} most frequent were kept and the others pooled, so "
            "that what differs between those is not adjusted for"
        )
        levels = [OTHER, *(level for level in levels if level in kept)]
    return levels, present


def independent_features(matrix: np.ndarray) -> list[int]:
    """Positions of features none of which is a linear combination of the others and a constant."""
    from scipy.linalg import qr

    if matrix.shape[1] == 0:
        return []
    norms, usable = _spread(matrix)
    varying = np.flatnonzero(usable)
    if not len(varying):
        return []
    # later features are a hair shorter, so that of two equal ones the pivoting keeps the first
    centred = matrix[:, varying] - matrix[:, varying].mean(axis=0)
    scaled = centred / norms[varying] * (1 - 1e-9 * np.arange(len(varying)))
    triangle, pivots = qr(scaled, mode="r", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(triangle)) > 1e-7))
    return sorted(int(varying[position]) for position in pivots[:rank])


def _spread(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(features,) lengths of the centred features, and whether each is more than rounding and no overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(matrix - matrix.mean(axis=0), axis=0)
    return norms, np.isfinite(norms) & (norms > 1e-10 * np.abs(matrix).max(axis=0))
