"""Dates written with dots or strokes, whose order of day and month the whole column must tell."""

from __future__ import annotations

import re

import pandas as pd

WRITTEN_DATE = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d{2})(?:[ ,T]+(\d{1,2}:\d{2}(?::\d{2})?))?")
DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
DAYS_OF_A_MONTH = 20  # as many first parts, beside few last ones, are days and no years
CENTURY_UNKNOWN = (31, 68)  # 45 may be 1945, of a birth, or 2045, of a plan
MOST_MONTHS = 12
LAST_DAY = 31


def read_written_dates(texts: pd.Series, label: str, notes: list[str]) -> pd.Series | None:
    """The dates that a column of stripped texts spells as 11.12.2023 or 11/12/2023, or none where that is open.

    Dots stand between day, month and year unless some second part is no month; strokes may stand for either order, so that some
    part above 12 must tell which.
    """
    present = texts.dropna()
    if present.empty or not WRITTEN_DATE.fullmatch(str(present.iloc[0])):
        return None
    spelled = pd.Series(present.unique(), dtype=object)
    if not spelled.map(lambda text: WRITTEN_DATE.fullmatch(text) is not None).all():
        return None
    parts = spelled.str.extract(WRITTEN_DATE)
    if len({(mark, len(year)) for mark, year in zip(parts[1], parts[3], strict=True)}) > 1:
        notes.append(f"{label!r} was left as text: its dates are written in several ways. Write them all as 2023-12-31")
        return None
    first, second, last = (parts[place].astype(int) for place in (0, 2, 3))
    day_first, month_first = bool((first > MOST_MONTHS).any()), bool((second > MOST_MONTHS).any())
    if not (day_first or month_first) and parts[1].iloc[0] == "/":
        return None
    doubt = _doubt(spelled, first, second, last, short=len(parts[3].iloc[0]) == 2)
    if doubt:
        notes.append(f"{label!r} was left as text: {doubt}. Write its dates as 2023-12-31 to have them as dates")
        return None
    day, month = (second, first) if month_first else (first, second)
    year = (
        last if len(parts[3].iloc[0]) == 4 else last + last.map(lambda two: 1900 if two > CENTURY_UNKNOWN[1] else 2000)
    )
    written = [f"{y:04d}-{m:02d}-{d:02d}" for y, m, d in zip(year, month, day, strict=True)]
    stamps = pd.Series(written, dtype=object).str.cat(
        parts[4].map(_padded, na_action="ignore").fillna("00:00"), sep=" "
    )
    dates = pd.to_datetime(stamps, errors="coerce", format="ISO8601")
    if dates.isna().any():
        wrong = str(spelled[dates.isna()].iloc[0])
        notes.append(f"{label!r} was left as text: {wrong!r} is no day of a calendar. Correct it to have dates there")
        return None
    order = "month" if month_first else "day"
    notes.append(
        f"the dates in {label!r} were read with the {order} first: {spelled.iloc[0]} is {dates.iloc[0]:%Y-%m-%d}"
    )
    return pd.to_datetime(texts.map(dict(zip(spelled, dates, strict=True))))


def day_first(text: str) -> str:
    """A date with dots as other dates are written, so that it means what it means in a column.

    >>> day_first("11.12.2023"), day_first("2022")
    ('2023-12-11', '2022')
    """
    found = DOTTED_DAY.fullmatch(text.strip())
    if not found or int(found.group(2)) > MOST_MONTHS:
        return text
    return f"{found.group(3)}-{int(found.group(2)):02d}-{int(found.group(1)):02d}"


def _doubt(spelled: pd.Series, first: pd.Series, second: pd.Series, last: pd.Series, *, short: bool) -> str | None:
    """Why a column cannot be read without a guess."""
    if (first > MOST_MONTHS).any() and (second > MOST_MONTHS).any():
        day, month = spelled[first > MOST_MONTHS].iloc[0], spelled[second > MOST_MONTHS].iloc[0]
        return f"{day} has the day first and {month} the month"
    if not short:
        return None
    if last.between(*CENTURY_UNKNOWN).any():
        return f"the century of {spelled[last.between(*CENTURY_UNKNOWN)].iloc[0]} is not told"
    years_first = last.between(1, LAST_DAY).all() and (second <= MOST_MONTHS).all()
    plainly_days = first.nunique() > DAYS_OF_A_MONTH and last.nunique() < first.nunique() / 2
    if years_first and not plainly_days:
        return f"nothing tells whether {spelled.iloc[0]} begins or ends with the year"
    return None


def _padded(time: str) -> str:
    return time.zfill(5) if time.count(":") == 1 else time.zfill(8)
