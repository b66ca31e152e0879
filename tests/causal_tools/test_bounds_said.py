"""How a question bounds a number."""

from __future__ import annotations

import pytest

from causal_tools.bounds_said import bounds_said
from causal_tools.contract import Condition
from causal_tools.reading_evidence import QuestionEvidence


@pytest.mark.parametrize(
    ("words", "operator"),
    [
        ("aged 60", None),
        ("at 60 on the dot", None),
        ("over 60", ">"),
        ("the over-60s", ">"),
        ("older than 60", ">"),
        ("with pay above € 60", ">"),
        ("pay > 60", ">"),
        ("below the age of 60", "<"),
        ("not yet 60", "<"),
        ("no fewer than 60 beds", ">="),
        ("60+", ">="),
        ("60 kg or more", ">="),
        ("60 and older", ">="),
        ("60 and heavier than most", None),
        ("not under 60", ">="),
        ("at or above 60", ">="),
        ("at most 60", "<="),
        ("60 at the most", "<="),
        ("60 or younger", "<="),
        ("no more than 60", "<="),
        ("no later than 60", "<="),
        ("under 60 and over 5", "<"),
        ("below 60 m or above 900 m", "<"),
        ("between 60 and 70", None),
    ],
)
def test_a_bound_is_said_beside_its_number(words, operator):
    assert bounds_said(f"Does it help those {words}, as many say?", 60) == {operator}


def test_a_condition_on_a_number_has_the_operator_that_is_said():
    evidence = QuestionEvidence(
        "Over 60, with 2 children, under 5 or 5?", ("age", "children", "sick"), {"sick": (60, 61)}
    )

    def against(column: str, operator: str, value: object) -> float:
        condition = Condition(column=column, operator=operator, value=value)
        return evidence.against_operator(condition).get("other_operator", 0.0)

    assert [against("age", operator, 60) for operator in (">", "=", ">=", "!=")] == [0, 1, 1, 1]
    assert against("children", "=", 2) == 0
    assert against("children", ">", 5) == 0  # said twice, and once without
    assert against("children", "=", 7) == 0  # not said
    assert against("sick", "=", 60) == 0  # one of two levels
    assert against("children", "in", (2, 60)) == 0
