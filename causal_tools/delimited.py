"""Delimited text: which separator, which line is the header, and what is not a table at all."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import pandas as pd

from causal_tools.encodings import decode
from causal_tools.errors import DataFileError

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", r"\s+": "blank space"}
SAMPLE_CHARACTERS = 65_536
SAMPLE_ROWS = 100
# pandas also takes the word "None" as missing; here it stays, since it is a common name for the untreated arm
MISSING_MARKS = ["", " ", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "?", "."]
# str.splitlines would also cut at U+2028 and other signs that may stand inside a cell
LINE_END = re.compile(r"\r\n|\r|\n")
RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
THOUSANDS = re.compile(r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})*|0)")
DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Layout:
    """How one text file is laid out: separator, names in its header, comment lines above it, and row names."""

    separator: str
    header: list[str]
    skipped: int
    row_names: bool
    trailing_separator: bool


def find_layout(text: str, name: str) -> Layout:
    """Separator, header and oddities of a delimited text.

    Raises:
        DataFileError: no separator makes a table of the text, or the first line is no header.
    """
    sample = text[:SAMPLE_CHARACTERS]
    if len(text) > SAMPLE_CHARACTERS:
        sample = sample[: sample.rfind("\n") + 1] or sample
    lines = LINE_END.split(sample)
    skipped = 0
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        skipped += 1
    if skipped and skipped == len(lines):
        skipped = 0
    body = _below(sample, skipped)
    best: tuple[float, int, str, list[list[str]]] | None = None
    for separator in SEPARATORS:
        rows = _parse(body, separator, name)
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        regular = sum(len(row) in (width, width + 1) for row in rows) / len(rows)
        if best is None or (regular, width) > best[:2]:
            best = (regular, width, separator, rows)
    if best is None:
        best = _blank_separated(body)
    if best is None:
        raise DataFileError(
            f"{name} has only one column: no comma, semicolon, tab or vertical bar divides its header. "
            "Give a table with one column for each variable, at least two."
        )
    _, width, separator, rows = best
    longer = [row for row in rows[1:] if len(row) == width + 1]
    all_longer = len(rows) > 1 and len(longer) == len(rows) - 1
    trailing = all_longer and all(not row[-1].strip() for row in longer)
    return Layout(separator, [cell.strip() for cell in rows[0]], skipped, all_longer and not trailing, trailing)


def _below(text: str, lines: int) -> str:
    return LINE_END.split(text, maxsplit=lines)[-1] if lines else text


def _parse(body: str, separator: str, name: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == SAMPLE_ROWS:
                break
    except csv.Error as error:
        raise DataFileError(f"{name} cannot be read as a table: {error} near line {reader.line_num}.") from error
    return rows


def _blank_separated(body: str) -> tuple[float, int, str, list[list[str]]] | None:
    """Columns divided by blanks, only where every row agrees and numbers fill most of it: prose does neither."""
    rows = [line.split() for line in LINE_END.split(body) if line.strip()][:SAMPLE_ROWS]
    if len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return None
    cells = [cell for row in rows[1:] for cell in row]
    if sum(is_number(cell) for cell in cells) < len(cells) / 2:
        return None
    return 1.0, len(rows[0]), r"\s+", rows


def is_number(cell: str) -> bool:
    """Whether the text reads as a finite or infinite number."""
    try:
        float(cell)
    except ValueError:
        return False
    return cell.strip().casefold() not in ("nan", "-nan", "+nan")


def parse_delimited(raw: bytes, name: str) -> tuple[pd.DataFrame, list[str]]:
    """The table in a delimited text, header cells as they stand in the file.

    Raises:
        DataFileError: the bytes are not text, not a table, or a row has more fields than the header.
    """
    text, notes = decode(raw, name)
    if not text.strip():
        raise DataFileError(
            f"{name} is empty: it has no header and no rows. Give a file with a header line and at least 30 rows."
        )
    layout = find_layout(text, name)
    if all(is_number(cell) for cell in layout.header):
        raise DataFileError(
            f"{name} has no header: its first line holds only numbers "
            f"({', '.join(layout.header[:5])}). Put the columns' names on the first line."
        )
    names = (["row_name"] if layout.row_names else []) + layout.header
    names += ["" for _ in range(layout.trailing_separator)]
    try:
        frame = pd.read_csv(
            io.StringIO(_below(text, layout.skipped)),
            sep=layout.separator,
            header=None,
            skiprows=1,
            names=list(range(len(names))),
            index_col=False,
            keep_default_na=False,
            na_values=MISSING_MARKS,
            skipinitialspace=True,
            low_memory=False,
            on_bad_lines="error",
        )
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame(columns=range(len(names)))
    except pd.errors.ParserError as error:
        raise DataFileError(_ragged_message(str(error), name, layout)) from error
    frame.columns = pd.Index(names)
    if layout.separator != ",":
        notes.append(f"the columns are divided by {SEPARATOR_NAMES[layout.separator]}")
    if layout.skipped:
        notes.append(f"{layout.skipped} blank or comment line(s) above the header were skipped")
    if layout.row_names:
        notes.append("the header names one column fewer than the rows hold: the first was taken as row names")
    return (frame if layout.separator == "," else _decimal_commas(frame, notes)), notes


def _ragged_message(error: str, name: str, layout: Layout) -> str:
    found = RAGGED.search(error)
    if not found:
        return f"{name} cannot be read as a table: {error.strip()}. Check for an unclosed quotation mark."
    wanted, line, saw = found.groups()
    # pandas counts from the text it was given, which lacks the comment lines
    return (
        f"{name} is not a regular table: line {int(line) + layout.skipped} has {saw} fields, not {wanted} as expected. "
        f"Put quotation marks around texts that hold a {SEPARATOR_NAMES[layout.separator]}."
    )


def _decimal_commas(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    changed = []
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        texts = column.dropna().astype(str).str.strip()
        if len(texts) and texts.str.contains(",").any() and texts.str.fullmatch(DECIMAL_COMMA).all():
            if texts.str.fullmatch(THOUSANDS).all() and not texts.str.contains(",").all():
                continue  # 3,994 beside 812: thousands, which are read later
            numbers = pd.to_numeric(column.astype("string").str.strip().str.replace(",", "."))
            frame.isetitem(position, numbers.to_numpy(dtype=float, na_value=float("nan")))
            changed.append(str(name))
    if changed:
        notes.append(f"decimal commas were read as decimal points in {', '.join(changed)}")
    return frame
