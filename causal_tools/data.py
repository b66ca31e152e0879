"""From a file that a user named to a table whose columns are understood, or to a sentence saying why not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from causal_tools.delimited import MISSING_MARKS, parse_delimited
from causal_tools.dressed_numbers import read_numbers
from causal_tools.errors import DataFileError
from causal_tools.written_dates import read_written_dates

Kind = Literal[
    "continuous", "discrete", "binary", "categorical", "identifier", "text", "date", "constant", "empty", "unsupported"
]
TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".dat")
EXCEL_ENDINGS = (".xlsx", ".xlsm")
PARQUET_ENDINGS = (".parquet", ".pq")
FEW_VALUES = 10
MOST_TEXT_LEVELS = 50
ID_NAME = re.compile(r"(^|[\W_])(id|uuid|guid|index|row|rownames?|row_name|record|unnamed_\d+)$", re.IGNORECASE)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?")


@dataclass(frozen=True)
class DataTable:
    """A data file in memory: ``notes`` say what was substituted or set aside on reading."""

    frame: pd.DataFrame
    name: str
    notes: list[str] = field(default_factory=list)
    kinds: dict[str, Kind] = field(default_factory=dict)


def read_table(path: str | Path) -> DataTable:
    """Read a CSV, TSV, semicolon-separated, Parquet or Excel file.

    Raises:
        DataFileError: the file is missing, unreadable, empty, or not a table with named columns.
    """
    path = Path(path).expanduser()
    name = path.name or str(path)
    ending = path.suffix.lower()
    try:
        if path.is_dir():
            raise DataFileError(f"{path} is a directory. Give one data file: CSV, TSV, Parquet or .xlsx.")
        if not path.exists():
            raise DataFileError(f"there is no file {path}. Check the spelling and the folder{_nearby(path)}.")
        if ending not in (*TEXT_ENDINGS, *EXCEL_ENDINGS, *PARQUET_ENDINGS):
            raise DataFileError(
                f"{name} has the ending {ending or '(none)'!r}, which is not read. "
                "Give a .csv, .tsv, .txt, .parquet or .xlsx file."
            )
        if path.stat().st_size == 0:
            raise DataFileError(
                f"{name} is empty: it has no header and no rows. Give a file with a header line and at least 30 rows."
            )
        frame, notes = _read(path, ending)
    except PermissionError as error:
        raise DataFileError(
            f"{name} may not be read: permission denied. Give yourself read access to {path}."
        ) from error
    except (OSError, ValueError) as error:
        raise DataFileError(f"{name} could not be read: {error}.") from error
    frame = tidy(frame, name, notes)
    return DataTable(frame, name, notes, describe_columns(frame))


def read_text(content: str, name: str) -> DataTable:
    """Read a table given as text, with a header line and some delimiter.

    Raises:
        DataFileError: it is empty, or not a table with named columns.
    """
    if not content.strip():
        raise DataFileError(f"{name} is empty: it has no header and no rows. Give a header line and at least 30 rows.")
    frame, notes = parse_delimited(content.encode(errors="replace"), name)  # it may hold halves of characters
    frame = tidy(frame, name, notes)
    return DataTable(frame, name, notes, describe_columns(frame))


def _nearby(path: Path) -> str:
    from rapidfuzz import process

    if not path.parent.is_dir():
        return ""
    close = process.extractOne(path.name, [other.name for other in path.parent.iterdir()], score_cutoff=80)
    return f"; did you mean {close[0]}?" if close else ""


def _read(path: Path, ending: str) -> tuple[pd.DataFrame, list[str]]:
    if ending in TEXT_ENDINGS:
        return parse_delimited(path.read_bytes(), path.name)
    if ending in PARQUET_ENDINGS:
        return _read_parquet(path), []
    return _read_excel(path)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame = pq.ParquetFile(path).read().to_pandas()
    except (pa.ArrowException, ValueError) as error:
        raise DataFileError(
            f"{path.name} is not a readable Parquet file ({str(error).splitlines()[0]}). "
            "Write it again, or give the table as CSV."
        ) from error
    return _index_as_columns(frame)


def _index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Named index levels become columns, save those that repeat a column: ``set_index(drop=False)`` leaves both."""
    for place, level in reversed(list(enumerate(frame.index.names))):
        column = frame[level] if level in frame.columns else None
        if isinstance(column, pd.Series) and frame.index.get_level_values(place).equals(pd.Index(column)):
            frame = frame.reset_index(level=place, drop=True)
    named = any(level is not None for level in frame.index.names)
    return frame.reset_index(allow_duplicates=True) if named else frame.reset_index(drop=True)


def _read_excel(path: Path) -> tuple[pd.DataFrame, list[str]]:
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(sheet) for sheet in book.sheet_names]
            cells = book.parse(sheets[0], header=None, keep_default_na=False, na_values=MISSING_MARKS)
    except (BadZipFile, KeyError, ValueError) as error:
        raise DataFileError(
            f"{path.name} is not a readable Excel workbook ({error}). Save it again as .xlsx, or give the table as CSV."
        ) from error
    cells = cells.dropna(how="all").dropna(axis="columns", how="all").reset_index(drop=True)
    if cells.empty:
        raise DataFileError(
            f"{path.name} is empty: its first sheet {sheets[0]!r} has no header and no rows. "
            "Give a sheet with a header line and at least 30 rows."
        )
    header = ["" if pd.isna(cell) else str(cell).strip() for cell in cells.iloc[0]]
    frame = cells.iloc[1:].reset_index(drop=True).infer_objects()
    frame.columns = pd.Index(header)
    notes = [f"the workbook has {len(sheets)} sheets; the first, {sheets[0]!r}, was read"] if len(sheets) > 1 else []
    return frame, notes


def tidy(frame: pd.DataFrame, name: str, notes: list[str]) -> pd.DataFrame:
    """Names as unique texts, numbers as numbers, dates as dates; every substitution is added to ``notes``.

    Raises:
        DataFileError: a name heads several columns, fewer than two columns have one, or there is no row.
    """
    frame = frame.copy()
    header = [str(label).strip() for label in frame.columns]
    unnamed = [position for position, label in enumerate(header) if not label or label.startswith("Unnamed: ")]
    blank = {position for position in unnamed if frame.iloc[:, position].isna().all()}
    for position in set(unnamed) - blank:
        header[position] = f"unnamed_{position + 1}"
        notes.append(f"column {position + 1} has no name; it is called {header[position]!r}")
    keep = [position for position in range(len(header)) if position not in blank]
    frame, header = frame.iloc[:, keep], [header[position] for position in keep]
    twice = sorted({label for label in header if header.count(label) > 1})
    if twice:
        raise DataFileError(
            f"{name} has several columns named {', '.join(map(repr, twice))}. Give each column a name of its own."
        )
    if len(header) < 2:
        raise DataFileError(
            f"{name} has only one column ({header[0] if header else 'without a name'}). "
            "A causal question needs at least two: a treatment and a response."
        )
    frame.columns = pd.Index(header)
    frame = frame.dropna(how="all").reset_index(drop=True)
    if frame.empty:
        raise DataFileError(
            f"{name} has a header ({', '.join(header[:6])}) but no rows. Give a file with at least 30 rows."
        )
    for label in header:
        frame[label] = _as_typed(frame[label], label, notes)
    return frame


def _as_typed(column: pd.Series, label: str, notes: list[str]) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        if pd.api.types.is_extension_array_dtype(column):
            column = pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
        infinite = np.isinf(column.to_numpy(dtype=float))
        if infinite.any():
            notes.append(f"{int(infinite.sum())} infinite value(s) of {label!r} were taken as missing")
            column = column.where(~infinite)
        return column
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        notes.append(f"the times in {label!r} were taken as UTC")
        return column.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_timedelta64_dtype(column):
        notes.append(f"the durations in {label!r} were read as seconds")
        return column.dt.total_seconds()
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind = object if column.isna().any() else column.cat.categories.dtype
        plain = _as_typed(column.astype(kind), label, notes)
        if not column.cat.ordered or not pd.api.types.is_string_dtype(plain.dropna()):
            return plain
        names = dict.fromkeys(str(level).strip() for level in column.cat.categories)
        return plain.astype(pd.CategoricalDtype(list(names), ordered=True))  # its order says what is compared with what
    present = column.dropna()
    if present.empty or not all(isinstance(value, str) for value in present):
        return _mixed(column, present, label, notes)
    texts = column.str.strip()
    numbers = read_numbers(texts, label, notes)
    if numbers is not None:
        return _as_typed(numbers, label, notes)
    if texts.dropna().str.fullmatch(ISO_DATE).all():
        dates = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True).dt.tz_localize(None)
        if dates.notna().sum() == len(present):
            return dates
    written = read_written_dates(texts, label, notes)
    return texts if written is None else written


def _mixed(column: pd.Series, present: pd.Series, label: str, notes: list[str]) -> pd.Series:
    """Numbers and truth values kept in an object column become numbers; anything else is read as text or stays."""
    if len(present) and all(
        isinstance(value, (int, float, np.number, Decimal)) and not isinstance(value, bool) for value in present
    ):
        return pd.to_numeric(column.map(lambda value: float(value) if isinstance(value, Decimal) else value))
    if len(present) and all(isinstance(value, date) for value in present):
        return pd.to_datetime(column, errors="coerce")
    if any(isinstance(value, (list, dict, set, tuple, bytes, np.ndarray)) for value in present):
        return column
    if len(present) and not all(isinstance(value, (bool, np.bool_)) for value in present):
        return _as_typed(column.where(column.isna(), column.astype(str)), label, notes)
    return column


def describe_columns(frame: pd.DataFrame) -> dict[str, Kind]:
    """What each column holds, as an estimator would use it."""
    return {str(label): column_kind(frame[label], str(label)) for label in frame.columns}


def column_kind(column: pd.Series, label: str) -> Kind:
    """One column's kind: numbers of at most ten values are discrete, texts mostly unlike each other no category."""
    present = column.dropna()
    if present.empty:
        return "empty"
    try:
        distinct = int(present.nunique())
    except TypeError:
        return "unsupported"
    if distinct == 1:
        return "constant"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    if distinct == 2:
        return "binary"
    if pd.api.types.is_numeric_dtype(column):
        return _numeric_kind(present.to_numpy(dtype=float), distinct, label)
    if distinct == len(present) and distinct > 5:
        return "identifier"
    if distinct > MOST_TEXT_LEVELS and distinct > len(present) / 2:
        return "text"
    return "categorical"


def _numeric_kind(values: np.ndarray, distinct: int, label: str) -> Kind:
    whole = bool(np.all(values == np.round(values)))
    if whole and distinct == len(values) and distinct > FEW_VALUES:
        counts_rows = bool(np.all(np.diff(values) == 1)) and values[0] in (0, 1)
        if counts_rows or ID_NAME.search(label):
            return "identifier"
    return "discrete" if whole and distinct <= FEW_VALUES else "continuous"
