"""Copies of rows and units with several rows are said, and ordinary files are left in peace."""

import numpy as np
import pandas as pd
import pytest

from causal_tools import CausalQuery, answer
from causal_tools.repeated_units import said_of_repeats

QUERY = CausalQuery(task="ATE", treatment="t", response="y")


def _frame(rows: int = 200, **columns: object) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    t = generator.integers(0, 2, rows)
    return pd.DataFrame({"t": t, "y": t + generator.normal(size=rows), **columns})


@pytest.mark.parametrize("name", ["patient", "Visitor №", "subject_id", "ID", "householdNo"])
def test_units_with_several_rows_are_said_and_not_adjusted_for(name: str) -> None:
    frame = _frame(**{name: np.repeat(np.arange(50), 4)})
    result = answer(QUERY, frame, checks=False)
    (said,) = [line for line in result.warnings if "not independent" in line]
    assert repr(name) in said and "50 units over 200 rows" in said and "too narrow" in said and "one row a unit" in said
    assert any("tells units apart" in line for line in result.warnings)
    assert result.estimate == answer(QUERY, frame.drop(columns=name), checks=False).estimate  # type: ignore[union-attr]


def test_an_identifier_that_is_named_is_adjusted_for() -> None:
    query = QUERY.model_copy(update={"covariates": ("patient",)})
    result = answer(query, _frame(patient=np.repeat(np.arange(50), 4)), checks=False)
    assert any("adjusted for patient" in line for line in result.assumptions)


def test_exact_copies_are_said() -> None:
    frame = _frame()
    result = answer(QUERY, pd.concat([frame, frame.head(30)]), checks=False)
    (said,) = [line for line in result.warnings if "exact copies" in line]
    assert "30 of 230 rows (13 %)" in said and "'y'" in said and "Keep one row" in said


@pytest.mark.parametrize(
    "columns",
    [
        {"school": np.repeat(np.arange(10), 20)},
        {"school_id": np.repeat(np.arange(25), 8)},
        {"age": np.repeat(np.arange(50), 4)},
        {"units_sold": np.repeat(np.arange(50), 4)},
        {"patient": np.arange(200)},
        {"household": np.arange(200) % 6},
        {"unit": np.repeat(np.arange(50) + 0.5, 4)},
    ],
)
def test_ordinary_columns_are_no_repeated_units(columns: dict[str, object]) -> None:
    assert said_of_repeats(_frame(**columns)) == []


def test_rows_that_agree_by_chance_are_no_copies() -> None:
    generator = np.random.default_rng(2)
    counts = pd.DataFrame({"sex": generator.integers(0, 2, 500), "age": generator.integers(20, 60, 500)})
    assert said_of_repeats(counts) == []
    rounded = pd.DataFrame({"sex": generator.integers(0, 2, 500), "dose": generator.integers(0, 40, 500) / 10})
    assert said_of_repeats(rounded) == []
    empty = pd.concat([_frame(), pd.DataFrame({"t": [0] * 100, "y": [0.0] * 100})])
    assert said_of_repeats(empty) == []
