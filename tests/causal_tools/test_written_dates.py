"""Dates with dots and strokes: their order is read from the column, never guessed."""

import numpy as np
import pandas as pd
import pytest

from causal_tools.conditions import find_target
from causal_tools.contract import Condition
from causal_tools.data import DataTable, read_table, read_text


def _table(cells: list[str], end: str = ",") -> DataTable:
    return read_text("\n".join([f"visit{end}y", *(f"{cell}{end}{row}" for row, cell in enumerate(cells))]), "a.csv")


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["11.12.2023", "3.1.2024"], "2023-12-11"),
        (["11.12.99", "03.01.98"], "1999-12-11"),
        (["5/6/2023", "13/6/2023"], "2023-06-05"),
        (["5/6/2023", "5/13/2023"], "2023-05-06"),
        (["11.12.2023 9:30", "13.12.2023 14:00:10"], "2023-12-11 09:30"),
    ],
)
def test_the_column_tells_the_order_of_day_and_month_and_a_note_says_it(cells: list[str], first: str) -> None:
    for end in (",", ";"):
        table = _table([*cells, *cells], end)
        assert table.kinds["visit"] == "date"
        assert table.frame["visit"].iloc[0] == pd.Timestamp(first)
        assert any("'visit' were read with the" in note and cells[0] in note for note in table.notes)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["13.11.2023", "11.13.2023"], "13.11.2023 has the day first"),
        (["13/11/2023", "11/13/2023"], "13/11/2023 has the day first"),
        (["30.02.2023", "11.12.2023"], "'30.02.2023' is no day"),
        (["11.12.13", "10.11.12"], "begins or ends with the year"),
        (["11.12.45", "10.11.44"], "the century of 11.12.45"),
        (["11.12.2023", "11/12/2023"], "in several ways"),
    ],
)
def test_what_would_be_a_guess_stays_text_and_is_said(cells: list[str], said: str) -> None:
    table = _table(cells)
    assert list(table.frame["visit"]) == cells
    assert any(said in note for note in table.notes)


def test_strokes_that_tell_nothing_and_versions_stay_text() -> None:
    assert list(_table(["5/6/2023", "6/5/2023"]).frame["visit"]) == ["5/6/2023", "6/5/2023"]
    assert list(_table(["1.2.3", "1.2.4"]).frame["visit"]) == ["1.2.3", "1.2.4"]


def test_gaps_stay_gaps_and_excel_texts_are_read_alike(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert _table(["13.11.2023", "", "14.11.2023"]).frame["visit"].isna().tolist() == [False, True, False]
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"visit": ["13.11.2023", "14.11.2023"], "y": [1, 2]}).to_excel(path, index=False)
    assert any("day first" in note for note in read_table(path).notes)
    assert list(read_table(path).frame["visit"]) == [pd.Timestamp("2023-11-13"), pd.Timestamp("2023-11-14")]


@pytest.mark.parametrize(
    ("operator", "value", "met"), [(">", "2022", 60), ("<", "1 July 2022", 30), ("<", "1.7.2022", 30), (">", 2022, 60)]
)
def test_conditions_on_such_dates_work_as_on_others(operator: str, value: str, met: int) -> None:
    rows = _table(["13.06.2022"] * 30 + ["11.12.2023"] * 60).frame
    target = find_target((Condition(column="visit", operator=operator, value=value),), rows)  # type: ignore[arg-type]
    assert np.sum(target.mask) == met
