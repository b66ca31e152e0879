"""Whether commas and points mark decimals or divide thousands, decided for a file as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from causal_tools.dressed_numbers import WORDS_FOR_MISSING

Style = Literal["decimal comma", "decimal point"]


def _forms(decimal: str, group: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Thousands divided throughout, or nowhere: 3,994 beside 1250 holds no thousands."""
    bodies = (
        rf"(?:0|[1-9]\d{{0,2}}(?:{group}\d{{3}})*)(?:{decimal}\d+)?",
        rf"(?:\d+(?:{decimal}\d+)?|{decimal}\d+)(?:[eE][-+]?\d+)?",
    )
    divided, plain = (re.compile(rf"[-+]?\s?[$€£¥]?\s?{body}\s?[%$€£¥]?") for body in bodies)
    return divided, plain


FORMS: dict[Style, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "decimal comma": _forms(",", r"\."),
    "decimal point": _forms(r"\.", ","),
}


@dataclass(frozen=True)
class MarkedColumn:
    """A column of numbers with commas or points in them, and the styles that all its cells fit."""

    position: int
    label: str
    cells: list[str]
    styles: list[Style]

    def holds(self, mark: str) -> bool:
        """Whether any cell holds the mark."""
        return any(mark in cell for cell in self.cells)

    def first_marked(self) -> str:
        """The first cell that holds a comma or a point."""
        return next(cell for cell in self.cells if "," in cell or "." in cell)


def settle_styles(frame: pd.DataFrame, written: pd.DataFrame, separator: str, notes: list[str]) -> pd.DataFrame:
    """The frame with decimal points throughout, as texts where ``written``, its cells as written, had another style.

    A column that fits one style alone proves it for the columns that fit both; without proof, or with proof of
    both, the reading is a guess, and a note says so.
    """
    marked = [_marked(frame.iloc[:, at], written.iloc[:, at], at) for at in range(written.shape[1])]
    columns = [column for column in marked if column and column.styles]
    proofs: dict[Style, list[str]] = {
        style: [column.label for column in columns if column.styles == [style]] for style in FORMS
    }
    rewritten = []
    for column in columns:
        style = _style(column, proofs, separator)
        notes.extend(_assumed(column, style, proofs, separator))
        if style == "decimal comma":
            frame.isetitem(column.position, _pointed(written.iloc[:, column.position]).to_numpy(dtype=object))
            rewritten.append(column)
    notes.extend(_what_was_rewritten(rewritten, proofs["decimal comma"]))
    return frame


def _marked(read: pd.Series, written: pd.Series, position: int) -> MarkedColumn | None:
    """The column's marks; one that was read as floats fits decimal points, whose many cells need no second look."""
    if pd.api.types.is_integer_dtype(read) or pd.api.types.is_bool_dtype(read):
        return None
    floats = pd.api.types.is_float_dtype(read)
    present = written.dropna()
    cells = [str(cell).strip() for cell in (present if floats else present.unique())]
    if not floats:
        cells = [cell for cell in cells if cell.casefold() not in WORDS_FOR_MISSING]
    if not any("," in cell or "." in cell for cell in cells):
        return None
    styles: list[Style] = [
        style for style in FORMS if (floats and style == "decimal point") or _fits(cells, FORMS[style])
    ]
    return MarkedColumn(position, str(written.name), cells, styles)


def _fits(cells: Sequence[str], forms: tuple[re.Pattern[str], re.Pattern[str]]) -> bool:
    return any(all(map(form.fullmatch, cells)) for form in forms)


def _style(column: MarkedColumn, proofs: dict[Style, list[str]], separator: str) -> Style:
    known = column.styles if len(column.styles) == 1 else [style for style in FORMS if proofs[style]]
    if len(known) == 1:
        return known[0]
    # semicolons go with decimal commas, yet a bare 812 beside 3,994 looks more like thousands than like 812,000
    all_commas = all("," in cell for cell in column.cells) and not column.holds(".")
    return "decimal comma" if separator == ";" and all_commas else "decimal point"


def _assumed(column: MarkedColumn, style: Style, proofs: dict[Style, list[str]], separator: str) -> list[str]:
    """What was taken for granted about a column that fits both styles; decimal points in a file of tabs need no word."""
    if len(column.styles) == 1:
        return []
    cell = column.first_marked()
    if all(proofs.values()) or not any(proofs.values()):
        mark = "comma" if "," in cell else "point"
        if (mark == "comma") == (style == "decimal comma"):
            read, otherwise = "decimals", f"thousands, write the column without {mark}s"
        else:
            read, otherwise = "thousands", "decimals, write the column with decimal points"
        return [
            f"it is a guess that {column.label!r} holds {read}, as in {cell}: the file does not tell what the {mark} "
            f"there divides. If these are {otherwise}"
        ]
    if style == "decimal point" and separator == ";" and column.holds("."):
        return [
            f"{cell} in {column.label!r} was taken for a decimal number, like those in {proofs[style][0]!r}; "
            "if its point divides thousands, write the column without points"
        ]
    return []


def _pointed(written: pd.Series) -> pd.Series:
    texts = written.str.strip()
    words = texts.str.casefold().isin(WORDS_FOR_MISSING)
    return texts.where(words, texts.map(_with_decimal_point, na_action="ignore"))


def _what_was_rewritten(columns: list[MarkedColumn], proofs: list[str]) -> list[str]:
    notes = []
    commas = [repr(column.label) for column in columns if column.holds(",")]
    points = [repr(column.label) for column in columns if column.holds(".")]
    if commas:
        notes.append(f"decimal commas were read as decimal points in {', '.join(commas)}")
    if points:
        notes.append(
            f"points were taken to divide thousands in {', '.join(points)}, "
            f"since the numbers in {proofs[0]!r} cannot be read otherwise"
        )
    return notes


def _with_decimal_point(cell: str) -> str:
    return cell.replace(".", "").replace(",", ".")
