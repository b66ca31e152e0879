"""Commas and points in numbers: decided for the file as a whole, and said where it is assumed or guessed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools.data import DataTable, read_text

SWAP = str.maketrans(",.", ".,")


def table_of(separator: str, **columns: list[str]) -> DataTable:
    return read_text(pd.DataFrame(columns).to_csv(sep=separator, index=False), "a.csv")


def notes_on(table: DataTable, label: str) -> str:
    return "\n".join(note for note in table.notes if repr(label) in note)


def test_decimal_commas_in_one_column_make_points_thousands_in_another() -> None:
    table = table_of(";", alter=["40,0", "39,3", "56,5"], schulung=["1", "0", "0"], lohn=["1.830", "709", "289"])
    assert table.frame.to_dict("list") == {"alter": [40, 39.3, 56.5], "schulung": [1, 0, 0], "lohn": [1830, 709, 289]}
    assert "divide thousands in 'lohn', since the numbers in 'alter'" in notes_on(table, "lohn")
    assert "guess" not in notes_on(table, "lohn")


def test_decimal_points_in_one_column_make_commas_thousands_in_another() -> None:
    table = table_of("\t", dose=["0.5", "1.25"], pay=["25,664", "29,591"])
    assert table.frame.to_dict("list") == {"dose": [0.5, 1.25], "pay": [25664, 29591]}
    assert "thousands commas" in notes_on(table, "pay") and "guess" not in notes_on(table, "pay")


def test_decimal_commas_in_one_column_are_decimal_in_another_that_could_hold_thousands() -> None:
    table = table_of(";", dose=["0,5", "1,25"], weight=["3,994", "812"])
    assert table.frame["weight"].tolist() == [3.994, 812]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_points_and_commas_in_one_number_tell_each_other_apart(separator: str) -> None:
    table = table_of(separator, t=["0", "1"], income=["30.118,20", "9,57"], fee=["1.234.567", "12"])
    assert table.frame.to_dict("list") == {"t": [0, 1], "income": [30118.2, 9.57], "fee": [1234567, 12]}


@pytest.mark.parametrize(
    ("separator", "texts", "numbers", "role"),
    [
        (";", ["1.830", "709"], [1.83, 709], "decimals, as in 1.830"),
        ("\t", ["1.830", "2.709"], [1.83, 2.709], "decimals, as in 1.830"),
        (";", ["1,830", "2,709"], [1.83, 2.709], "decimals, as in 1,830"),
        (";", ["1,830", "709"], [1830, 709], "thousands, as in 1,830"),
        ("\t", ["25,664", "29,591"], [25664, 29591], "thousands, as in 25,664"),
        ("\t", ["25,664", "709"], [25664, 709], "thousands, as in 25,664"),
    ],
)
def test_a_style_that_the_file_does_not_tell_is_said_to_be_a_guess(
    separator: str, texts: list[str], numbers: list[float], role: str
) -> None:
    table = table_of(separator, t=["0", "1"], pay=texts)
    assert table.frame["pay"].tolist() == numbers
    assert f"it is a guess that 'pay' holds {role}" in notes_on(table, "pay")


def test_columns_of_both_styles_leave_a_third_to_a_guess() -> None:
    table = table_of(";", alter=["40,5", "39,3"], dose=["0.25", "0.5"], lohn=["1.830", "2.709"])
    assert table.frame.to_dict("list") == {"alter": [40.5, 39.3], "dose": [0.25, 0.5], "lohn": [1.83, 2.709]}
    assert "it is a guess that 'lohn'" in notes_on(table, "lohn")


def test_points_over_semicolons_that_another_column_has_as_decimals_are_said() -> None:
    table = table_of(";", age=["54.0", "60.0"], income=["29.820", "25.257"])
    assert table.frame["income"].tolist() == [29.82, 25.257]
    assert "29.820 in 'income' was taken for a decimal number, like those in 'age'" in notes_on(table, "income")


def test_a_number_of_four_digits_rules_out_thousands_in_its_column() -> None:
    table = table_of("\t", a=["3,994", "1250"], b=["3.994", "1250"])
    assert table.frame.to_dict("list") == {"a": [3.994, 1250], "b": [3.994, 1250]}
    assert "guess" not in "".join(table.notes)


def test_words_for_missing_and_currencies_stand_beside_decimal_commas() -> None:
    table = table_of(";", dose=["0,5", "-", "n.a.", "2,5"], pay=["€ 1.830,50", "709 €", "unknown", "12,00 €"])
    np.testing.assert_array_equal(table.frame["dose"], [0.5, np.nan, np.nan, 2.5])
    np.testing.assert_array_equal(table.frame["pay"], [1830.5, 709, np.nan, 12])
    assert "2 entries" in notes_on(table, "dose")


def test_the_minus_of_typesetters_is_one() -> None:
    table = table_of(",", change=["−1.5", "2", "-3"], sales=["−$1,200", "$30", "$5"])
    assert table.frame.to_dict("list") == {"change": [-1.5, 2, -3], "sales": [-1200, 30, 5]}


@pytest.mark.parametrize("texts", [["1.3.20.1", "2.3.20.4"], ["1,2,3", "1,2"], ["1.830,5", "2.5"], ["a,b", "1,5"]])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_texts_with_commas_and_points_stay_as_they_are(separator: str, texts: list[str]) -> None:
    table = table_of(separator, dose=["0,5", "1,25"], note=texts)
    assert table.frame["note"].tolist() == texts


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_plain_numbers_are_read_as_ever_and_nothing_is_said_of_them(separator: str) -> None:
    frame = pd.DataFrame({"n": [1, 20, 3000], "x": [0.5, 1.25, -3e-5], "m": [1.5, np.nan, 2.0], "g": ["a", "b.c", "d"]})
    table = read_text(frame.to_csv(sep=separator, index=False), "a.csv")
    pd.testing.assert_frame_equal(table.frame, frame)
    assert not [note for note in table.notes if "divided by" not in note]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("european", [True, False])
def test_numbers_come_back_from_the_style_they_were_written_in(seed: int, separator: str, european: bool) -> None:
    rng = np.random.default_rng(seed)
    whole, dose = rng.integers(-99_999, 99_999, 50), rng.normal(0, 5, 50).round(2)
    money = rng.uniform(0, 1e7, 50).round(2)
    written = {
        "whole": [f"{value:,}" for value in whole],
        "dose": [f"{value:.2f}" for value in dose],
        "money": [f"{value:,.2f}" for value in money],
    }
    if european:
        written = {label: [text.translate(SWAP) for text in texts] for label, texts in written.items()}
    table = table_of(separator, **written)
    assert table.frame["whole"].tolist() == whole.tolist()
    assert table.frame["dose"].tolist() == dose.tolist()
    assert table.frame["money"].tolist() == money.tolist()
    assert "guess" not in "".join(table.notes)
