"""What the words of a question say about a reading."""

from __future__ import annotations

import pytest

from causal_tools.contract import CausalQuery
from causal_tools.evidence import is_mentioned, left_out


@pytest.mark.parametrize(
    ("column", "question", "expected"),
    [
        ("pain_score", "does it hurt, in pain", True),
        ("bp", "the blood pressure of patients", True),
        ("avg_dose", "the average dose", True),
        ("wt", "their weight", True),
        ("smoker", "among smokers", True),
        ("age", "the average effect of drug on pain", False),
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
