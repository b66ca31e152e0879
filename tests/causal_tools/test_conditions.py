"""Which rows a condition selects."""

from __future__ import annotations

import pandas as pd
import pytest

from causal_tools.conditions import find_target
from causal_tools.contract import Condition
from causal_tools.errors import QueryError

DAYS = pd.DataFrame({"seen": pd.date_range("2021-01-01 06:00", "2023-12-31 06:00", freq="D")})


@pytest.mark.parametrize(
    ("operator", "value", "first", "last"),
    [
        ("=", 2022, "2022-01-01", "2022-12-31"),
        (">", 2022, "2023-01-01", "2023-12-31"),
        (">=", "2022", "2022-01-01", "2023-12-31"),
        ("<", "2022", "2021-01-01", "2021-12-31"),
        ("<=", "2022-02", "2021-01-01", "2022-02-28"),
        (">", "2022-03-05", "2022-03-06", "2023-12-31"),
        (">", "2022-03-05 05:00", "2022-03-05", "2023-12-31"),
        ("in", ("2022-01", "2022-02"), "2022-01-01", "2022-02-28"),
    ],
)
def test_a_date_means_all_of_the_year_month_or_day_that_it_names(
    operator: str, value: object, first: str, last: str
) -> None:
    condition = Condition.model_validate({"column": "seen", "operator": operator, "value": value})
    chosen = DAYS["seen"][find_target((condition,), DAYS).mask]
    assert (chosen.min().date().isoformat(), chosen.max().date().isoformat()) == (first, last)


@pytest.mark.parametrize("value", ["soon", "nan", 5])
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(QueryError, match="needs a date such as"):
        find_target((Condition.model_validate({"column": "seen", "operator": ">", "value": value}),), DAYS)


@pytest.mark.parametrize(("column", "said"), [("Visitor №", 1), ("row", 1), ("visits", 0)])
def test_a_condition_on_an_identifier_is_said(column: str, said: int) -> None:
    rows = pd.DataFrame({column: [number * 3 % 101 for number in range(1, 101)]})
    condition = Condition.model_validate({"column": column, "operator": ">", "value": 50})
    warnings = find_target((condition,), rows).warnings
    assert len([line for line in warnings if f"{column!r} tells rows or units apart" in line]) == said
