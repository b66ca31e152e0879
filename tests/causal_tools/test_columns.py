"""Names: forgiving about spelling, never guessing."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.columns import resolve_column, resolve_query
from causal_tools.contract import CausalQuery
from causal_tools.errors import ColumnNotFound, QueryError


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("smoker", "smoker"),
        ("Smoker", "smoker"),
        ("smokers", "smoker"),
        ("blood pressure", "blood_pressure"),
        ("BloodPressure", "blood_pressure"),
        ("therapy", "therapies"),
        ("box", "boxes"),
    ],
)
def test_case_separators_and_plurals_are_forgiven(asked: str, found: str) -> None:
    assert resolve_column(asked, ["age", "smoker", "blood_pressure", "therapies", "boxes"]) == found


def test_an_unknown_name_is_refused_with_what_there_is_and_a_suggestion() -> None:
    with pytest.raises(ColumnNotFound) as refusal:
        resolve_column("smokes", ["age", "smoker", "fev1"], "lung.csv")
    assert str(refusal.value) == ("no column 'smokes' in lung.csv. It has: age, smoker, fev1. Did you mean 'smoker'?")


def test_a_name_far_from_all_gets_no_suggestion() -> None:
    with pytest.raises(ColumnNotFound) as refusal:
        resolve_column("qqqq", ["age", "smoker"])
    assert "Did you mean" not in str(refusal.value)


def test_an_exact_name_wins_and_an_ambiguous_one_is_refused_naming_both() -> None:
    columns = ["Age", "age", "fev_1", "fev 1"]
    assert resolve_column("age", columns) == "age"
    with pytest.raises(ColumnNotFound, match="'fev_1' or 'fev 1'"):
        resolve_column("FEV1", columns)


COLUMNS = [
    "systolic_blood_pressure",
    "temperature",
    "dept",
    "treatment",
    "fev1",
    "fev2",
    "hospital_stay_days",
    "avg_dose",
]


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ("sys_bp", "systolic_blood_pressure", "an abbreviation"),
        ("SBP", "systolic_blood_pressure", "an abbreviation"),
        ("temp", "temperature", "an abbreviation"),
        ("department", "dept", "an abbreviation"),
        ("average dose", "avg_dose", "an abbreviation"),
        ("hosp stay days", "hospital_stay_days", "an abbreviation"),
        ("treatmnet", "treatment", "misspelt"),
        ("hospital_stay_dyas", "hospital_stay_days", "misspelt"),
    ],
)
def test_abbreviations_and_misspellings_are_read_where_they_can_be_said(asked, found, said) -> None:
    notes: list[str] = []
    assert resolve_column(asked, COLUMNS, "ward.csv", notes) == found
    assert notes == [f"{asked!r} was read as the column {found!r}, {said}"]
    with pytest.raises(ColumnNotFound):
        resolve_column(asked, COLUMNS, "ward.csv")


@pytest.mark.parametrize("asked", ["fev3", "fevv1", "tem", "age", "days", "blood", "average", "stay", "dose"])
def test_what_is_no_short_form_of_a_whole_name_is_not_read_as_one(asked) -> None:
    known = [column for column in COLUMNS if column != "temperature"] if asked == "tem" else COLUMNS
    with pytest.raises(ColumnNotFound):
        resolve_column(asked, known, "ward.csv", [])


def test_an_abbreviation_of_two_columns_is_refused_naming_both() -> None:
    with pytest.raises(ColumnNotFound, match="'blood_pressure' or 'birth_place'"):
        resolve_column("bp", ["blood_pressure", "birth_place", "age"], "ward.csv", [])


def test_an_abbreviation_in_a_query_is_said_in_the_answer() -> None:
    from causal_tools import answer

    from .simulators import confounded_binary

    frame = confounded_binary(200, 1).rename(columns={"t": "treatment", "y": "blood_pressure"})
    result = answer(CausalQuery(task="ATE", treatment="treatmnt", response="bp"), frame, checks=False)
    assert (result.query.treatment, result.query.response) == ("treatment", "blood_pressure")
    assert "'bp' was read as the column 'blood_pressure', an abbreviation" in result.warnings


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
def test_every_column_is_found_under_its_own_name(columns: list[str]) -> None:
    assert [resolve_column(column, columns) for column in columns] == columns


def test_a_query_is_resolved_in_every_role() -> None:
    frame = pd.DataFrame(columns=["Treat", "Y Out", "age", "site"])
    query = CausalQuery.model_validate(
        {
            "task": "HTE",
            "treatment": "treat",
            "response": "y_out",
            "conditions": [{"column": "AGE", "operator": ">", "value": 50}],
            "covariates": ["Sites"],
        }
    )
    resolved = resolve_query(query, frame)
    assert resolved.columns() == ["Treat", "Y Out", "age", "site"]
    assert resolve_query(resolved, frame) == resolved


def test_two_roles_that_turn_out_to_be_one_column_are_refused() -> None:
    query = CausalQuery(task="ATE", treatment="Dose", response="dose ")
    with pytest.raises(QueryError, match="two roles"):
        resolve_query(query, pd.DataFrame(columns=["dose", "y"]))


def test_a_condition_on_the_response_is_refused() -> None:
    query = CausalQuery.model_validate(
        {"task": "HTE", "treatment": "t", "response": "y", "conditions": [{"column": "y", "value": 1}]}
    )
    with pytest.raises(QueryError, match="restricts the response"):
        resolve_query(query, pd.DataFrame(columns=["t", "y"]))
