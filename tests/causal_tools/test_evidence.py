"""What the words of a question say about a reading."""

from __future__ import annotations

import pytest

from causal_tools.contract import CausalQuery
from causal_tools.evidence import is_mentioned, left_out, unknown_identifiers


@pytest.mark.parametrize(
    ("column", "question", "expected"),
    [
        ("pain_score", "does it hurt, in pain", True),
        ("bp", "the blood pressure of patients", True),
        ("avg_dose", "the average dose", True),
        ("wt", "their weight", True),
        ("smoker", "among smokers", True),
        ("age", "the average effect of drug on pain", False),
        ("is_smoker", "is the price of bread likely to fall", False),
        ("time_to_event", "is the price of bread likely to fall", False),
        ("to", "from and to", True),
        ("précipitation", "in the café", False),
        ("income", "the effect of drug on pain", False),
    ],
)
def test_a_column_is_mentioned_by_its_words_and_their_short_forms(column, question, expected):
    assert is_mentioned(column, question.lower().replace(",", "").split()) is expected


def test_columns_named_in_full_and_not_read_are_found():
    query = CausalQuery(task="ATE", treatment="drug", response="recovery_days")
    columns = ["drug", "recovery_days", "pain score", "age", "to"]
    question = "What does drug do to pain_score and Recovery days in age.csv?"
    assert left_out(question, query, columns) == ["pain score"]
    assert left_out(question, CausalQuery(task="CGL", nodes="all"), columns) == []


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("the effect of `dose` where `age` is over `60`, or `age > 60`", []),
        ("effect of dose on age in the lung_data file", []),
        ("the effect of dose on recovery_time.", ["recovery_time"]),
        ("the effect of `weight` on age", ["weight"]),
        ("read other_data.csv", []),
    ],
)
def test_names_that_can_only_be_meant_as_columns_and_are_none(question, unknown):
    assert unknown_identifiers(question, ["dose", "age", "lung_data.csv"]) == unknown
