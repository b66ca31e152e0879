"""Numbers by which columns differ, and which of them a question says."""

from __future__ import annotations

import pytest

from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.times_said import another_is_numbered, numbers_meant


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("after 12 weeks", 84),
        ("within half a year", 6),
        ("for one and a half years", 1),
        ("three years on", 36),
        ("2 and a half years later", 30),
        ("a quarter later", 3),
        ("in the second round", 2),
        ("a day after", 24),
        ("at baseline", 0),
    ],
)
def test_numbers_in_other_units_and_words(text, number):
    assert number in numbers_meant(text)


def test_no_number_is_meant_where_none_is_said():
    assert numbers_meant("What does sleep do to pay, daily?") == frozenset()


def test_a_number_beyond_all_bounds_is_no_fault():
    assert len(numbers_meant("after " + 308 * "9" + " years")) > 1


COLUMNS = ["drug", "pain_m6", "pain_m12", "pain0", "pain2", "score"]


@pytest.mark.parametrize(
    ("text", "column", "denied"),
    [
        ("drug on pain within a year", "pain_m6", True),
        ("drug on pain within a year", "pain_m12", False),
        ("drug on pain within a year", "pain2", False),  # nothing is said of 0
        ("drug on pain, later", "pain_m6", False),
        ("drug on pain at half a year and a year", "pain_m6", False),  # both are said
        ("those with pain at the start: drug on pain", "pain2", False),  # a condition speaks of the start
        ("drug on the second pain", "pain0", True),
        ("drug on score 12", "score", False),
    ],
)
def test_a_column_is_passed_over_for_one_of_another_number(text, column, denied):
    assert another_is_numbered(column, COLUMNS, numbers_meant(text)) is denied
    assert QuestionEvidence(text, COLUMNS, None).denies_role("response", column, None) is denied
