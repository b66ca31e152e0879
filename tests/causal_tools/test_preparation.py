"""What becomes of gaps, texts and useless columns before anything is estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools.contract import CausalQuery, Scalar
from causal_tools.covariates import encode_covariates, independent_features, same_information
from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.preparation import MOST_ROWS, prepare
from causal_tools.treatment import read_response, read_treatment

from .simulators import confounded_binary

ATE = CausalQuery(task="ATE", treatment="t", response="y")


def table(rows: int = 60, **columns: object) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    base = {"t": generator.permutation([0, 1] * (rows // 2)), "y": generator.normal(size=rows)}
    return pd.DataFrame({**base, **columns})


@pytest.mark.parametrize(
    ("levels", "contrast"),
    [
        (["yes", "no"], ("no", "yes")),
        (["Drug", "Placebo"], ("Placebo", "Drug")),
        (["b", "a"], ("a", "b")),
        ([True, False], (False, True)),
        ([0.0, 1.0], (0, 1)),
        ([10, 20], (10, 20)),
        (["None", "Aspirin"], ("None", "Aspirin")),
        (["ja", "nein"], ("nein", "ja")),
        (["drug", "no drug"], ("no drug", "drug")),
        (["coached", "not_coached"], ("not_coached", "coached")),
        (["insured", "uninsured"], ("uninsured", "insured")),
        (["high dose", "low dose"], ("low dose", "high dose")),
        (["drug A", "placebo pill"], ("placebo pill", "drug A")),
        (["control A", "control B"], ("control A", "control B")),
    ],
)
def test_the_reference_level_is_a_control_or_the_first(levels: list[object], contrast: tuple[Scalar, Scalar]) -> None:
    treatment = read_treatment(pd.Series(levels * 20, name="t"), [])
    assert treatment.contrast == contrast
    assert [type(level) for level in treatment.contrast] == [type(level) for level in contrast]
    assert treatment.data.tolist() == [contrast.index(level) for level in levels] * 20  # type: ignore[arg-type]


def test_the_reference_is_compared_with_the_most_frequent_other_level() -> None:
    column = pd.Series(["a"] * 10 + ["control"] * 5 + ["c"] * 12, name="t")
    assert read_treatment(column, []).contrast == ("control", "c")


def test_numbers_of_several_values_are_an_amount_and_as_actions_are_levels() -> None:
    column = pd.Series([0, 1, 2] * 10, name="dose")
    assert read_treatment(column, []).contrast == (0, 1)
    assert not read_treatment(column, []).discrete
    assert read_treatment(column, [], as_actions=True).levels == (0, 1, 2)


def test_a_text_response_of_two_levels_is_mapped_and_said() -> None:
    notes: list[str] = []
    response = read_response(pd.Series(["no", "yes", "yes"], name="cured"), "response", notes)
    assert response.data.tolist() == [0, 1, 1]
    assert notes == ["the response 'cured' was read as 1 for 'yes' and 0 for 'no'"]


def test_a_response_of_three_texts_is_refused() -> None:
    with pytest.raises(QueryError, match="texts of 3 kinds"):
        read_response(pd.Series(["a", "b", "c"], name="y"), "response", [])


def test_rows_without_treatment_or_response_are_left_out_and_said() -> None:
    frame = table()
    frame["t"] = frame["t"].astype(float)
    frame.loc[[0, 1], "t"] = np.nan
    frame.loc[[1, 2], "y"] = np.nan
    prepared = prepare(ATE, frame)
    assert prepared.size == 57
    assert "2 row(s) without a value of 't' were left out" in prepared.notes


def test_gaps_in_covariates_are_filled_with_the_median_and_marked() -> None:
    notes: list[str] = []
    frame = pd.DataFrame({"age": [10.0, np.nan, 30.0, 50.0, 20.0, 40.0], "site": ["a", "b", None, "b", "b", "a"]})
    covariates = encode_covariates(frame, ["age", "site"], notes, named=False)
    columns = dict(zip(covariates.names, covariates.matrix.T.tolist(), strict=True))
    assert columns["age"] == [10, 30, 30, 50, 20, 40]
    assert columns["age missing"] == [0, 1, 0, 0, 0, 0]
    assert columns["site = b"] == [0, 1, 1, 1, 1, 0]
    assert any("median 30" in note for note in notes)
    assert any("most frequent level 'b'" in note for note in notes)


def test_useless_columns_are_set_aside_and_said() -> None:
    frame = table(id=range(60), same=1, empty=np.nan, age=np.arange(60) % 7, note=[f"n{i}" for i in range(60)])
    frame["age_again"] = frame["age"]
    prepared = prepare(ATE, frame)
    assert prepared.covariates.used == ["age"]
    assert set(prepared.covariates.set_aside) == {"id", "same", "empty", "note", "age_again"}
    assert any("age (every other usable column" in line for line in prepared.assumptions)


def test_many_levels_are_pooled() -> None:
    """With 25 rows a level there is room for 24 levels; the forty of 2,000 rows all have their own."""
    frame = table(rows=600, city=[f"c{i % 40}" for i in range(600)])
    prepared = prepare(ATE, frame)
    assert len(prepared.covariates.names) == 23
    assert any("40 levels" in note and "not adjusted for" in note for note in prepared.notes)
    roomy = prepare(ATE, table(rows=2000, city=[f"c{i % 40}" for i in range(2000)]))
    assert len(roomy.covariates.names) == 39
    assert not any("40 levels" in note for note in roomy.notes)


def test_a_recoded_treatment_is_not_adjusted_for() -> None:
    frame = table()
    frame["arm"] = frame["t"].map({0: "off", 1: "on"})
    prepared = prepare(ATE, frame)
    assert prepared.covariates.used == []
    with pytest.raises(EstimationRefused, match="same values"):
        prepare(ATE.model_copy(update={"covariates": ("arm",)}), frame)


def test_combinations_of_other_features_are_dropped() -> None:
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(2, 50))
    matrix = np.column_stack([a, b, a + b, np.ones(50), 2 * a - 3])
    assert len(independent_features(matrix)) == 2
    assert independent_features(np.column_stack([a, a, b])) == [0, 2]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ([0, 1, 0, 1], ["n", "y", "n", "y"], True),
        ([1.0, 2.0, 3.5, 9.0], [3.0, 5.0, 8.0, 19.0], True),
        ([0, 1, 0, 1], [0, 1, 1, 1], False),
        ([1.0, 2.0, 3.5, 9.0], [3.0, 5.0, 8.0, 19.5], False),
    ],
)
def test_recoding_and_exact_lines_carry_the_same_information(first: list, second: list, same: bool) -> None:
    many = 40
    noise = np.linspace(0, 1, many) if isinstance(first[0], float) else np.array([])
    one = pd.Series([*first * 10]) if not len(noise) else pd.Series([*first, *noise])
    two = pd.Series([*second * 10]) if not len(noise) else pd.Series([*second, *(2 * noise + 1)])
    assert same_information(one, two) is same


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"t": 1}, "is always 1"),
        ({"y": 2.5}, "is always 2.5"),
        ({"y": np.nan}, "only 0 of 60"),
        ({"t": [1] * 3 + [0] * 57}, "only 3 row"),
        ({"t": [f"u{i}" for i in range(60)]}, "60 different texts|rare"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(EstimationRefused, match=said):
        prepare(ATE, table(**change))


def test_a_treatment_that_is_the_response_is_refused() -> None:
    frame = table()
    frame["y"] = 1 - frame["t"]
    with pytest.raises(EstimationRefused, match="same values under two names"):
        prepare(ATE, frame)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(EstimationRefused, match="at least 30"):
        prepare(ATE, table(rows=20))


def test_of_very_many_rows_some_are_drawn_always_the_same_and_it_is_said() -> None:
    frame = confounded_binary(MOST_ROWS + 500, 1)
    query = CausalQuery(task="ATE", treatment="t", response="y", covariates=("x",))
    first, again = prepare(query, frame), prepare(query, frame)
    assert first.size == MOST_ROWS
    assert first.rows.equals(again.rows)
    assert f"{MOST_ROWS} of the {MOST_ROWS + 500} usable rows, drawn at random, were used" in first.notes
    assert prepare(query, frame[:MOST_ROWS]).size == MOST_ROWS
    assert not any("drawn" in note for note in prepare(query, frame[:MOST_ROWS]).notes)


@pytest.mark.parametrize(
    ("levels", "contrast", "said"),
    [
        (["low", "high"], ("low", "LOW"), "level 'low' of 't'"),
        ([0, 1], (0, "0"), "level 0 of 't'"),
        ([0.0, 1.0, 2.0], (1.0, "1"), "level 1 of 't'"),
        ([False, True], ("true", "True"), "level True of 't'"),
        (list(range(20)), (3, "3.0"), "amount 3 of 't'"),
    ],
)
def test_a_contrast_of_a_level_with_itself_is_refused(levels: list[object], contrast: tuple, said: str) -> None:
    with pytest.raises(QueryError, match=f"compares nothing: both are the {said}"):
        read_treatment(pd.Series(levels * 10, name="t"), [], contrast=contrast)


@pytest.mark.parametrize("spelt", ["Rare", "rare", " RARE "])
def test_a_rare_level_that_a_contrast_asks_for_is_kept_however_it_is_spelt(spelt: str) -> None:
    levels = ["a"] * 40 + ["b"] * 40 + ["Rare"] * 7 + ["odd"] * 3
    frame = table(rows=90, t=levels)
    prepared = prepare(ATE.model_copy(update={"contrast": ("A", spelt)}), frame)
    assert prepared.treatment.contrast == ("a", "Rare")
    assert "3 row(s) under rare levels of 't' were left out: odd" in prepared.notes
    assert prepared.size == 87


def test_of_two_levels_that_differ_in_case_the_one_asked_for_as_it_is_spelt_is_meant() -> None:
    frame = table(rows=90, t=["a"] * 40 + ["b"] * 43 + ["B"] * 7)
    prepared = prepare(ATE.model_copy(update={"contrast": ("a", "b")}), frame)
    assert prepared.treatment.levels == ("a", "b")


def ordered(values: list[str], *categories: str) -> pd.Series:
    return pd.Series(pd.Categorical(values, categories=categories, ordered=True), name="t")


def test_an_ordered_categorical_is_compared_in_its_own_order() -> None:
    column = ordered(["new", "old"] * 20, "unseen", "old", "new")
    assert read_treatment(column, []).contrast == ("old", "new")
    assert read_treatment(column, []).data.tolist() == [1, 0] * 20
    assert read_treatment(column, [], contrast=("new", "old")).contrast == ("new", "old")
    unordered = column.cat.as_unordered()
    assert read_treatment(unordered, []).contrast == ("new", "old")  # alphabetically, as texts are


def test_a_response_of_an_ordered_categorical_is_one_for_the_later_level() -> None:
    response = read_response(ordered(["worse", "better"] * 5, "worse", "better"), "response", [])
    assert response.data.tolist() == [0, 1] * 5


def test_levels_of_a_categorical_that_no_row_has_are_not_rare() -> None:
    frame = table(t=ordered(["old"] * 30 + ["new"] * 30, "never", "old", "new"))
    prepared = prepare(ATE, frame)
    assert prepared.treatment.levels == ("old", "new")
    assert not any("rare" in note for note in prepared.notes)


def test_a_covariate_in_tiny_units_is_adjusted_for() -> None:
    amounts = np.random.default_rng(1).normal(size=60)
    covariates = encode_covariates(table(x=1e-13 * amounts, z=amounts**2), ["x", "z"], [], named=False)
    assert covariates.names == ["x", "z"]


@pytest.mark.parametrize("column", [1e9 + 1e-5 * np.arange(60) % 3, 1e200 * np.arange(60) % 7e200])
def test_a_covariate_that_cannot_be_computed_with_is_not_said_to_be_adjusted_for(column: np.ndarray) -> None:
    notes: list[str] = []
    covariates = encode_covariates(table(x=column), ["x"], notes, named=True)
    assert covariates.used == []
    assert notes == ["columns set aside: x (varies too little, or too widely, to be computed with)"]


@pytest.mark.parametrize("value", ["yes", 1.0, pd.Timestamp("2024-01-01")])
def test_the_gaps_of_a_column_of_one_value_are_adjusted_for(value: object) -> None:
    """A tick or a blank: a file's common way of saying yes or no."""
    notes: list[str] = []
    covariates = encode_covariates(table(ticked=[value, None, None] * 20), ["ticked"], notes, named=False)
    assert covariates.names == ["ticked missing"]
    assert covariates.matrix[:, 0].tolist() == [0.0, 1.0, 1.0] * 20
    assert notes == ["the covariate 'ticked' has one value and gaps; the gaps were taken as a level of their own"]


def test_an_amount_that_few_rows_have_is_not_said_to_be_the_response() -> None:
    generator = np.random.default_rng(2)
    sparse = np.where(np.arange(400) % 8 == 0, generator.normal(size=400), np.nan)
    prepared = prepare(ATE.model_copy(update={"covariates": ("x",)}), table(400, x=sparse))
    assert prepared.covariates.used == ["x"]


def test_a_treatment_that_is_ticked_or_blank_is_refused_with_what_would_do() -> None:
    with pytest.raises(EstimationRefused, match=r"'t' is 'yes' or blank, in 30 row.* write so there"):
        prepare(ATE, table().assign(t=["yes", None] * 30))
