"""Numbers and levels that a question says."""

from __future__ import annotations

import pytest

from causal_tools.prompts import parse_messages
from causal_tools.question_words import (
    MOST_HINTS,
    denies,
    level_hints,
    numbers_in,
    opposes,
    spelt_numbers_in,
    words_before,
    yes_or_no,
)

COLUMNS = ["job", "marital", "net", "y", "n"]
LEVELS = {
    "job": ["blue-collar", "retired", "admin."],
    "marital": ["married", "divorced"],
    "net": ["Fiber optic", "No"],
    "y": ["yes", "no"],
    "n": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("do the retired say yes?", [("job", "retired")]),
        ("Blue collar workers on fibre optics", [("job", "blue-collar")]),
        ("FIBER OPTIC, divorcees", [("marital", "divorced"), ("net", "Fiber optic")]),
        ("after the marriage", [("marital", "married")]),
        ("no job of 2 in admin.csv", []),
        ("", []),
    ],
)
def test_levels_are_hinted_at_in_whatever_form_of_the_word(question, said):
    assert level_hints(question, LEVELS, COLUMNS) == said


def test_hints_are_few_and_of_the_columns_offered():
    levels = {f"c{i}": ["north"] for i in range(30)}
    assert len(level_hints("in the north", levels, list(levels))) == MOST_HINTS
    assert level_hints("in the north", levels, ["c7", "x"]) == [("c7", "north")]


def test_the_model_reads_the_hints_after_the_question():
    told = parse_messages("Do the retired\nsay yes?", COLUMNS, LEVELS)[1]["content"]
    assert told == "Columns: job, marital, net, y, n\nQuestion: Do the retired say yes?\nLevels: job is retired"
    assert "Levels" not in parse_messages("Do the retired say yes?", COLUMNS)[1]["content"]


def test_numbers_in_words_stand_beside_those_in_figures():
    text = "at least three kids, a dozen eggs, sixty or 1,500.50 — but someone's tenth is no number"
    assert spelt_numbers_in(text) == {"3": 3, "12": 12, "60": 60}
    assert numbers_in(text) == {"1500.5": 1500.5}


@pytest.mark.parametrize(
    ("words", "says_no"),
    [
        ("without a partner", True),
        ("non-smokers", True),
        ("those who don’t smoke", True),
        ("Not insured", True),
        ("nobody in the house", True),
        ("the notes of nobles", False),
        ("", False),
    ],
)
def test_denials(words, says_no):
    assert denies(words) is says_no


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("with no steroid in |diabetics", "steroid in"),
        ("Add a steroid or not in |diabetics", "steroid in"),
        ("With or without help, |diabetics", ""),
        ("None. |Diabetics", ""),
        ("|diabetics", ""),
    ],
)
def test_words_before_are_of_the_same_clause_and_of_no_choice(text, before):
    assert words_before(text.replace("|", ""), text.index("|"), 2) == before


@pytest.mark.parametrize(
    ("words", "name", "opposite"),
    [
        ("the girls", "male", True),
        ("Women", "is man", True),
        ("men and women", "male", False),
        ("part-time staff", "full time", True),
        ("full-time staff", "full time", False),
        ("the uninsured", "insured", True),
        ("insured or uninsured", "insured", False),
        ("nonsmokers", "smoker", True),
        ("low income", "male", False),
        ("daytime", "weekend", False),
        ("a male technician", "tech f", True),
        ("jobless people", "has job", True),
        ("dry days", "rain", True),
        ("", "male", False),
    ],
)
def test_opposites(words, name, opposite):
    assert opposes(words, name) is opposite


@pytest.mark.parametrize(
    ("value", "levels", "says"),
    [
        (1, [0, 1], True),
        ("No", ["Yes", "No"], False),
        ("n", ["y", "n"], False),
        (1, [0, 1, 2], None),
        ("a", ["a", "b"], None),
        (1, ["yes", 1], None),
    ],
)
def test_levels_of_yes_and_no(value, levels, says):
    assert yes_or_no(value, levels) is says
