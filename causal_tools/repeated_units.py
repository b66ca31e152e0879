"""Rows that are not independent: exact copies, and units that have several rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causal_tools.columns import name_parts
from causal_tools.data import column_kind
from causal_tools.treatment import is_numeric

UNIT_WORDS = frozenset(
    {
        "id",
        "pid",
        "uid",
        "patient",
        "subject",
        "subj",
        "subjid",
        "person",
        "individual",
        "participant",
        "respondent",
        "household",
        "family",
        "client",
        "customer",
        "user",
        "visitor",
        "child",
        "pupil",
        "student",
        "employee",
        "worker",
        "firm",
        "member",
        "panelist",
        "unit",
        "case",
        "record",
        "animal",
    }
)
NUMBER_WORDS = frozenset({"id", "no", "nr", "num", "number", "code", "key", "identifier"})
FEWEST_UNITS, MOST_ROWS_A_UNIT = 20, 100
FEWEST_COPIES, SHARE_OF_COPIES = 10, 0.05
MOST_OF_ONE_ROW = 0.2  # of the copies: an empty form handed in a hundred times is one answer given often
MEASURED = 0.9  # of the distinct rows have a value of their own
ADVICE = "rows of one unit are not independent, so the intervals are too narrow"


def names_units(column: pd.Series, label: str) -> bool:
    """Whether a column says which unit a row is about, by its name and by holding many whole numbers or texts."""
    parts = name_parts(label)
    if not UNIT_WORDS & set(parts) or not set(parts) <= UNIT_WORDS | NUMBER_WORDS:
        return False
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    if is_numeric(column) and not np.all(np.mod(present.to_numpy(dtype=float), 1) == 0):
        return False
    try:
        return int(present.nunique()) >= FEWEST_UNITS
    except TypeError:  # lists and the like
        return False


def repeats_units(column: pd.Series, label: str) -> bool:
    """Whether a column names units most of which have several rows; schools and regions have too many, or too few values."""
    if not names_units(column, label):
        return False
    counts = column.value_counts()
    return bool((counts > 1).mean() > 0.5 and counts.mean() <= MOST_ROWS_A_UNIT)


def is_identifier(column: pd.Series, label: str) -> bool:
    """Whether a column tells rows or units apart, and measures nothing."""
    return column_kind(column, label) == "identifier" or names_units(column, label)


def said_of_repeats(frame: pd.DataFrame, roles: Sequence[str | None] = ()) -> list[str]:
    """Warnings that rows are copies or belong together; none for the columns in ``roles``, which are measured."""
    said = []
    for label in map(str, frame.columns):
        if label not in roles and repeats_units(frame[label], label):
            units, rows = int(frame[label].nunique()), int(frame[label].notna().sum())
            said.append(
                f"{label!r} names {units} units over {rows} rows: {ADVICE}. Keep one row a unit, or average the rows of each"
            )
    copies = frame.drop(columns=[label for label in frame if column_kind(frame[label], str(label)) == "unsupported"])
    repeated = int(copies.duplicated().sum())
    if repeated >= max(FEWEST_COPIES, SHARE_OF_COPIES * len(frame)):
        measured = _measured(copies, repeated)
        if measured is not None:
            said.append(
                f"{repeated} of {len(frame)} rows ({100 * repeated / len(frame):.0f} %) are exact copies of earlier ones, "
                f"in {measured!r} too, where chance hardly repeats a value: {ADVICE}. Keep one row of each, unless they are "
                "different units"
            )
    return said


def _measured(frame: pd.DataFrame, repeated: int) -> str | None:
    """A column of numbers with fractions that hardly come back among distinct rows; none where one row is most copies."""
    distinct = frame.drop_duplicates()
    most = int(frame.groupby(list(frame.columns), dropna=False, observed=True).size().max()) - 1
    if most > max(FEWEST_COPIES, MOST_OF_ONE_ROW * repeated):
        return None
    for label in distinct.columns:
        column = distinct[label].dropna()
        if not is_numeric(column) or len(column) < FEWEST_UNITS:
            continue
        values = column.to_numpy(dtype=float)
        if np.any(np.mod(values, 1) != 0) and len(np.unique(values)) >= MEASURED * len(distinct):
            return str(label)
    return None
