"""Numbers written for people: thousands commas, currency and percent signs, and words where a value is missing."""

from __future__ import annotations

import re

import pandas as pd

DRESSED_NUMBER = re.compile(r"[-+]?\s?[$€£¥]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s?[%$€£¥]?")
NUMBER_DRESS = re.compile(r"[\s,$€£¥%]")
UNIT_MARK = re.compile(r"[$€£¥%]")
WORDS_FOR_MISSING = {"none", "missing", "unknown", "--", "-", "n.a.", "nil", "na", "n/a", "null"}
WORDS_FOR_MISSING |= {"#n/a", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"}  # what spreadsheets say


def read_numbers(texts: pd.Series, label: str, notes: list[str]) -> pd.Series | None:
    """The numbers that a column of stripped texts spells, or none where it spells anything else.

    A column whose values carry different units is none: $1 and €2 have no common scale.
    """
    words = texts.str.casefold()
    missing = words.isin(WORDS_FOR_MISSING)
    spelled = texts.where(~missing).str.replace("−", "-")  # the minus of typesetters
    if spelled.notna().sum() == 0:
        return None
    numbers = pd.to_numeric(spelled, errors="coerce")
    if not (numbers.notna() | spelled.isna()).all():
        if not spelled.dropna().str.fullmatch(DRESSED_NUMBER).all():
            return None
        clash = _clash_of_units(spelled.dropna())
        if clash:
            notes.append(f"{label!r} was left as text: {clash}. Give the whole column one unit to have it as numbers")
            return None
        notes.append(f"{label!r} was read as numbers, without thousands commas, currency and percent signs")
        numbers = pd.to_numeric(spelled.str.replace(NUMBER_DRESS, "", regex=True))
    if missing.any():
        notes.append(
            f"{int(missing.sum())} entries of the numeric column {label!r} that say "
            f"{', '.join(sorted(set(words[missing])))} were taken as missing"
        )
    return numbers


def _clash_of_units(spelled: pd.Series) -> str | None:
    """Why the marks in a column forbid one scale; a bare number may share a currency, and a bare zero a percent sign."""
    marks = spelled.str.findall(UNIT_MARK).map(set)
    seen = sorted(set().union(*marks))
    if len(seen) > 1:
        return f"it mixes the units {' and '.join(seen)}"
    nonzero = spelled.str.contains(r"[1-9]")
    if seen == ["%"] and not marks[nonzero].map(bool).all():
        return "some values carry a percent sign and others none, so that they may differ by a factor of 100"
    return None
