"""Numbers written for people: thousands commas, currency and percent signs, and words where a value is missing."""

from __future__ import annotations

import re

import pandas as pd

DRESSED_NUMBER = re.compile(r"[-+]?\s?[$€£¥]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s?[%$€£¥]?")
NUMBER_DRESS = re.compile(r"[\s,$€£¥%]")
WORDS_FOR_MISSING = {"none", "missing", "unknown", "--", "-", "n.a.", "nil"}


def read_numbers(texts: pd.Series, label: str, notes: list[str]) -> pd.Series | None:
    """The numbers that a column of stripped texts spells, or none where it spells anything else."""
    words = texts.str.casefold()
    missing = words.isin(WORDS_FOR_MISSING)
    spelled = texts.where(~missing)
    if spelled.notna().sum() == 0:
        return None
    numbers = pd.to_numeric(spelled, errors="coerce")
    if not (numbers.notna() | spelled.isna()).all():
        if not spelled.dropna().str.fullmatch(DRESSED_NUMBER).all():
            return None
        notes.append(f"{label!r} was read as numbers, without thousands commas, currency and percent signs")
        numbers = pd.to_numeric(spelled.str.replace(NUMBER_DRESS, "", regex=True))
    if missing.any():
        notes.append(
            f"{int(missing.sum())} entries of the numeric column {label!r} that say "
            f"{', '.join(sorted(set(words[missing])))} were taken as missing"
        )
    return numbers
