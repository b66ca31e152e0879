"""Delimited text: which separator, which line is the header, and what is not a table at all."""

from __future__ import annotations

import csv
import io
import re
import warnings
from dataclasses import dataclass
from textwrap import shorten
from typing import NamedTuple

import pandas as pd

from causal_tools.encodings import decode
from causal_tools.errors import DataFileError
from causal_tools.number_styles import settle_styles

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", r"\s+": "blank space"}
SAMPLE_CHARACTERS = 65_536
SAMPLE_ROWS = 100
MOST_TITLE_LINES = 5
# pandas also takes the word "None" as missing; here it stays, since it is a common name for the untreated arm
MISSING_MARKS = ["", " ", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "?", "."]
# str.splitlines would also cut at U+2028 and other signs that may stand inside a cell
LINE_END = re.compile(r"\r\n|\r|\n")
RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
LIKE_A_NUMBER = re.compile(r"\s*[-+]?\s?[$€£¥]?\s?\d[\d.,]*([eE][-+]?\d+)?\s?[%$€£¥]?\s*")


@dataclass(frozen=True)
class Layout:
    """How one text file is laid out: separator, names in its header, lines above it, a title there, and row names."""

    separator: str
    header: list[str]
    skipped: int
    row_names: bool
    trailing_separator: bool
    title: str = ""


class Split(NamedTuple):
    """The first rows of a text as one separator divides them."""

    separator: str
    rows: list[list[str]]

    @property
    def width(self) -> int:
        """How many cells the header has."""
        return len(self.rows[0])

    @property
    def regular(self) -> float:
        """The share of rows that fit the header, with at most row names besides."""
        return sum(len(row) in (self.width, self.width + 1) for row in self.rows) / len(self.rows)

    @property
    def clean(self) -> float:
        """The share of cells below the header that are numbers or hold none of the other separators."""
        others = [separator for separator in SEPARATORS if separator != self.separator]
        cells = [cell for row in self.rows[1:] for cell in row]
        clean = sum(LIKE_A_NUMBER.fullmatch(cell) is not None or not any(o in cell for o in others) for cell in cells)
        return clean / max(len(cells), 1)


def find_layout(text: str, name: str) -> Layout:
    """Separator, header and oddities of a delimited text.

    Raises:
        DataFileError: no separator makes a table of the text, or the first line is no header.
    """
    sample = text[:SAMPLE_CHARACTERS]
    if len(text) > SAMPLE_CHARACTERS:
        sample = sample[: sample.rfind("\n") + 1] or sample
    split, skipped, title = _find_table(sample, name)
    longer = [row for row in split.rows[1:] if len(row) == split.width + 1]
    all_longer = len(split.rows) > 1 and len(longer) == len(split.rows) - 1
    trailing = all_longer and all(not row[-1].strip() for row in longer)
    header = [cell.strip() for cell in split.rows[0]]
    return Layout(split.separator, header, skipped, all_longer and not trailing, trailing, title)


def _find_table(sample: str, name: str) -> tuple[Split, int, str]:
    """The rows of the table, how many lines stand above them, and the title among those, if any.

    A first line that is no header of the rest is a title only where what lies below it is a table beyond doubt.
    """
    lines = LINE_END.split(sample)
    top = start = _next_line(lines, 0) % len(lines)
    first = _best_split(_below(sample, top), name)
    if first is not None and first.regular > 0.5:
        return first, top, ""
    for _ in range(MOST_TITLE_LINES):
        start = _next_line(lines, start + 1)
        below = _best_split(_below(sample, start), name) if start < len(lines) else None
        if below is not None and _has_names_over_numbers(below):
            return below, start, lines[top].strip()
    if first is not None:
        return first, top, ""
    raise DataFileError(
        f"{name} has only one column: no comma, semicolon, tab or vertical bar divides its header "
        f"({shorten(lines[top].strip(), 60)!r}). Give a table with one column for each variable, at least two; "
        "if that line is a title, delete it, so that the columns' names come first."
    )


def _next_line(lines: list[str], start: int) -> int:
    """The first line from ``start`` on that is neither blank nor a comment."""
    while start < len(lines) and (not lines[start].strip() or lines[start].startswith("#")):
        start += 1
    return start


def _best_split(body: str, name: str) -> Split | None:
    splits = [Split(separator, rows) for separator in SEPARATORS if (rows := _parse(body, separator, name))]
    wide = [split for split in splits if split.width > 1]
    return max(wide, key=lambda split: (split.regular, split.clean, split.width)) if wide else _blank_separated(body)


def _has_names_over_numbers(split: Split) -> bool:
    """Whether all rows are equally wide, with no number in the header and mostly numbers in some column below it."""
    header, *rows = split.rows
    if not rows or any(len(row) != len(header) for row in rows):
        return False
    if any(is_number(cell) or cell.strip() in MISSING_MARKS for cell in header):
        return False
    return any(sum(map(is_number, column)) > len(column) / 2 for column in zip(*rows, strict=True))


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


def _blank_separated(body: str) -> Split | None:
    """Columns divided by blanks, only where every row agrees and numbers fill most of it: prose does neither."""
    rows = [line.split() for line in LINE_END.split(body) if line.strip()][:SAMPLE_ROWS]
    if len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return None
    cells = [cell for row in rows[1:] for cell in row]
    if sum(is_number(cell) for cell in cells) < len(cells) / 2:
        return None
    return Split(r"\s+", rows)


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
    frame = _rows(text, layout, len(names), name)
    frame.columns = pd.Index(names)
    if layout.separator != ",":
        notes.append(f"the columns are divided by {SEPARATOR_NAMES[layout.separator]}")
    if layout.title:
        notes.append(f"{layout.skipped} line(s) above the header were skipped: {layout.title!r} looks like a title")
    elif layout.skipped:
        notes.append(f"{layout.skipped} blank or comment line(s) above the header were skipped")
    if layout.row_names:
        notes.append("the header names one column fewer than the rows hold: the first was taken as row names")
    last = frame.iloc[:, layout.row_names + len(layout.header) - 1]
    if last.isna().any() and (short := _short_rows(text, layout)):
        notes.append(
            f"{short} row(s) hold fewer cells than the header; what they lack at the end was taken as missing. A line break "
            "within a text that stands in no quotation marks does that"
        )
    if layout.separator == ",":
        return frame, notes
    written = _rows(text, layout, len(names), name, as_written=True).set_axis(frame.columns, axis=1)
    return settle_styles(frame, written, layout.separator, notes), notes


def _rows(text: str, layout: Layout, width: int, name: str, *, as_written: bool = False) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            # pandas measures rows by the first one: where that is longer than the header, it only warns that cells are lost
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(_below(text, layout.skipped)),
                sep=layout.separator,
                header=None,
                skiprows=1,
                names=list(range(width)),
                index_col=False,
                dtype=object if as_written else None,
                keep_default_na=False,
                na_values=MISSING_MARKS,
                skipinitialspace=True,
                low_memory=False,
                on_bad_lines="error",
            )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(width))
    except pd.errors.ParserWarning as warning:
        raise DataFileError(
            f"{name} is not a regular table: the first row below the header has more than its {width} fields. "
            f"Put quotation marks around texts that hold a {SEPARATOR_NAMES[layout.separator]}."
        ) from warning
    except pd.errors.ParserError as error:
        raise DataFileError(_ragged_message(str(error), name, layout)) from error
    for label, column in frame.items():
        if pd.api.types.is_string_dtype(column):  # blanks behind a mark hide it from pandas
            frame[label] = column.mask(column.str.strip().isin(MISSING_MARKS))
    return frame


def _short_rows(text: str, layout: Layout) -> int:
    """How many rows end before the header does; pandas fills them up without a word."""
    if len(layout.separator) > 1:
        return 0  # blank space divides only tables that are regular
    body = io.StringIO(_below(text, layout.skipped), newline="")
    width = layout.row_names + len(layout.header)
    rows = csv.reader(body, delimiter=layout.separator, skipinitialspace=True)
    next(rows)
    try:
        return sum(0 < len(row) < width for row in rows)
    except csv.Error:
        return 0  # a cell beyond what this module reads, which pandas reads


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
