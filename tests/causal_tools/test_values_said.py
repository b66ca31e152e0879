"""Which columns have no number or level of the question left."""

from __future__ import annotations

import pytest

from causal_tools.contract import Condition
from causal_tools.values_said import ValuesSaid


@pytest.mark.parametrize(
    ("question", "conditions", "excused"),
    [
        ("Does it help those over 60?", {}, set()),
        ("Does it help those over 60?", {"age": 60}, {"age_end", "weight"}),  # no number is left for them
        ("Does it help those over 60 and below 80?", {"age": 60}, set()),
        ("Does it help in the north?", {}, {"age", "age_end", "weight"}),
        ("Does it help in the north?", {"home": "north"}, {"wish", "age", "age_end", "weight"}),
        ("Does it help in the north if north is wished?", {"home": "north"}, {"age", "age_end", "weight"}),
        ("Does it help in the north if south is wished?", {"home": "north"}, {"age", "age_end", "weight"}),
    ],
)
def test_columns_that_have_no_value_left_are_no_missed_conditions(question, conditions, excused):
    columns = ("age", "age_end", "weight", "home", "wish", "sick")
    levels = {"home": ("north", "south"), "wish": ("north", "south"), "sick": ("yes", "no")}
    held = [Condition(column=column, operator="=", value=value) for column, value in conditions.items()]
    said = ValuesSaid(question, columns, levels)
    assert said.excused(held) == excused
    assert said.excused([], *conditions) >= excused  # of a condition whose value is to come
    assert ValuesSaid(question, columns).excused(held) == set()  # of a file not known, words may be values
