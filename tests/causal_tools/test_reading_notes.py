"""What a reading is given beside its own fields: levels to compare, and notes on what it does not use."""

from __future__ import annotations

import pytest

from causal_tools.contract import CausalQuery, Condition
from causal_tools.contrast_said import contrast_said, level_asked
from causal_tools.parsing import Reading
from causal_tools.reading_notes import as_asked

COLUMNS = ("arm", "pain", "age", "region")
LEVELS = {"arm": ["placebo", "low", "high"], "region": ["north", "south"]}


@pytest.mark.parametrize(
    ("question", "pair"),
    [
        ("effect of arm low versus arm high on score", ("high", "low")),
        ("What does high instead of the low dose do to pain?", ("low", "high")),
        ("Going from placebo to high, what becomes of pain?", ("placebo", "high")),
        ("high rather than placebo, or low rather than placebo?", None),
        ("Is arm high or low or placebo?", None),
        ("HIGH compared with placebo", ("placebo", "high")),
        ("highest versus lowest", None),
    ],
)
def test_the_levels_that_a_question_compares(question, pair):
    assert contrast_said(question, LEVELS["arm"]) == pair


@pytest.mark.parametrize(
    ("question", "levels", "pair"),
    [
        ("Does the new pump give more flow?", ["new", "old"], ("old", "new")),
        ("Does drip give more yield?", ["drip", "flood"], ("flood", "drip")),
        ("Does the low dose lower pain?", ["high", "low", "placebo"], None),  # "low" is no telling word
        ("Does surgery lower pain?", ["surgery", "drug", "placebo"], ("placebo", "surgery")),
        ("Does surgery lower pain?", ["surgery", "drug", "physio"], None),  # against which of the two?
        ("Does drip or flood give more yield?", ["drip", "flood"], None),
        ("Is flow better than with the old pump?", ["new", "old"], None),
        ("What if we gave up the old pump?", ["new", "old"], None),
        ("Does method change yield among drip fields?", ["drip", "flood"], None),
        ("What does method do to yield, not drip?", ["drip", "flood"], None),
        ("Does it help?", ["yes", "no"], None),
    ],
)
def test_the_level_that_a_question_asks_about_is_compared_with_the_other(question, levels, pair):
    assert level_asked(question, levels, "method") == pair


def test_a_level_that_is_a_part_of_the_treatments_name_says_nothing():
    assert level_asked("Does the new pump give more flow?", ["new", "old"], "new_pump") is None


def test_the_level_asked_about_goes_into_the_query_of_an_effect():
    reading = Reading(CausalQuery(task="ATE", treatment="arm", response="pain"))
    found = as_asked(reading, "Does surgery lower pain?", ("arm", "pain"), {"arm": ["drug", "surgery"]})
    assert found.query.contrast == ("drug", "surgery")
    assert found.notes == ["surgery is compared with drug, since the question asks about the former"]
    mediated = Reading(CausalQuery(task="MA", treatment="arm", response="pain", mediator="age"))
    assert (
        as_asked(mediated, "Does surgery act through age?", COLUMNS, {"arm": ["drug", "surgery"]}).query.contrast
        is None
    )


def test_numbers_are_levels_only_as_a_whole():
    assert contrast_said("dose 1.5 versus dose 2", [1, 2, 1.5]) == (2, 1.5)
    assert contrast_said("10 versus 20", [1, 2]) is None


def test_a_comparison_goes_into_the_query_and_is_told():
    reading = Reading(CausalQuery(task="ATE", treatment="arm", response="pain"))
    found = as_asked(reading, "What does arm low versus high do to pain?", COLUMNS, LEVELS)
    assert found.query.contrast == ("high", "low")
    assert found.notes == ["low is compared with high, as the question says"]
    policy = Reading(CausalQuery(task="OPO", treatment="arm", response="pain"))
    assert (
        as_asked(policy, "Is low or high best, low versus high, for most pain?", COLUMNS, LEVELS).query.contrast is None
    )


def test_what_a_question_says_in_vain_is_told():
    condition = Condition(column="age", operator=">=", value=40)
    query = CausalQuery(task="HTE", treatment="arm", response="pain", conditions=(condition,))
    question = "Effect of arm on pain in the north between 40 and 60 years of age?"
    notes = as_asked(Reading(query), question, COLUMNS, LEVELS).notes
    assert notes == [
        "the question says 60, which this reading does not use",
        "the question says 'north', which this reading does not use",
    ]


def test_what_a_question_adjusts_for_goes_into_the_query():
    reading = Reading(CausalQuery(task="ATE", treatment="arm", response="pain"))
    found = as_asked(reading, "Adjusting for age, what does arm do to pain?", COLUMNS, LEVELS)
    assert found.query.covariates == ("age",)
    assert found.notes == ["adjusted for age and nothing else, as the question says"]
    told = Reading(reading.query, notes=["the question names 'age', which this reading leaves out"])
    assert as_asked(told, "Adjusting for age, what does arm do to pain?", COLUMNS, LEVELS).notes == found.notes
    found = as_asked(reading, "Adjusting for age and wealth, what does arm do to pain?", COLUMNS, LEVELS)
    assert (
        found.query.covariates is None
    )  # fewer than were asked for would be a wrong answer, more is what the tool does
    assert "adjusts for 'wealth', which no column is surely meant by" in found.notes[0]
    mediated = Reading(CausalQuery(task="MA", treatment="arm", response="pain", mediator="age"))
    question = "How much of what arm does to pain remains when age is held fixed?"
    assert as_asked(mediated, question, COLUMNS, LEVELS) == mediated


def test_of_a_graph_nothing_is_said_in_vain():
    reading = Reading(CausalQuery(task="CGL", nodes="all"))
    assert as_asked(reading, "Graph of all 4 columns in the north?", COLUMNS, LEVELS) == reading
