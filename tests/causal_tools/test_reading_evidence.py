"""What a question's words say against a reading: each sign on questions of which a person can tell it."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.contract import Condition
from causal_tools.draft import Draft
from causal_tools.likely_words import Taken
from causal_tools.names_said import likeness
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_form import ReadingForm
from causal_tools.reading_weights import SIGNS
from lm.sentences import sentence_encoder

COLUMNS = ["drug_dose", "fev1", "sex", "region", "age", "SystolicBP"]
LEVELS = {"sex": ["female", "male"], "region": ["north", "south_west"], "arm": ["yes", "no"], "outdoor": [0, 1]}


def _evidence(question: str) -> QuestionEvidence:
    return QuestionEvidence(question, COLUMNS, LEVELS)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("Does drug_dose change fev1?", {"drug_dose", "fev1"}),
        ("does Drug Dose change FEV1?", {"drug_dose", "fev1"}),
        ("is systolic bp lower (`SystolicBP`)?", {"SystolicBP"}),
        ("what of the dose, and agency, and fev12", set()),
        ("read fev1.csv and age.data.xlsx", set()),
        ("which drug? Dose it by age, sex", {"age", "sex"}),
        ("of drug-dose, age", {"drug_dose", "age"}),
        ("", set()),
    ],
)
def test_a_column_is_named_whatever_its_case_and_separators(question, named):
    assert _evidence(question).named == named


def test_of_names_within_names_only_the_longest_is_meant():
    evidence = QuestionEvidence("does blood pressure after surgery fall", ["blood", "blood_pressure", "after"], None)
    assert evidence.named == {"blood_pressure", "after"}


def test_a_name_of_one_or_two_letters_must_be_written_as_in_the_file():
    assert QuestionEvidence("is a y better, at X of 3", ["A", "y", "x"], None).named == {"y"}


def test_numbers_in_names_are_no_numbers_of_the_question():
    evidence = QuestionEvidence("does re78 rise from 1,500.5 in wave 2 at −3, file 7.csv", ["re78", "wave_2"], None)
    assert evidence.numbers == {1500.5, -3.0}


def test_levels_are_found_in_either_number_but_everyday_words_tell_nothing():
    evidence = QuestionEvidence("for females in the south west, yes", [*COLUMNS, "arm"], LEVELS)
    assert evidence.levels_said == {"sex": {"female"}, "region": {"south_west"}}


def test_a_level_of_joined_words_may_be_said_apart_and_hides_its_parts():
    evidence = QuestionEvidence("38 and not married", ["state"], {"state": ("married", "notmarried")})
    assert evidence.levels_said == {"state": {"married", "notmarried"}}
    assert evidence.against_value("state", ("notmarried",), None)["level_passed_over"] == 0.0
    assert evidence.against_value("state", ("married",), None)["level_passed_over"] == 1.0
    both = QuestionEvidence("married or not married", ["state"], {"state": ("married", "notmarried")})
    assert both.against_value("state", ("notmarried",), None)["level_passed_over"] == 1.0


@pytest.mark.parametrize(
    ("words", "best"),
    [
        ("the dose of the drug", "drug_dose"),
        ("systolic blood pressure", "SystolicBP"),
        ("how old they are, in years of age", "age"),
        ("regional differences", "region"),
    ],
)
def test_the_name_most_like_the_words(words, best):
    assert max(COLUMNS, key=lambda column: likeness(words, column)) == best
    assert _evidence(words).unlike(words, best) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("words", "best"),
    [("what they pay", "price"), ("how heavy it is", "weight_kg"), ("breathing better", "lung_function")],
)
def test_words_that_share_no_letter_with_a_name_may_share_its_meaning(words, best):
    columns = ["price", "weight_kg", "colour", "lung_function", "clarity"]
    evidence = QuestionEvidence(words, columns, None, sentence_encoder())
    meant = {column: evidence.unlike(words, column)[1] for column in columns}
    assert min(meant, key=meant.get) == best
    assert all(0.0 <= gap <= 2.0 for gap in meant.values())


@given(words=st.text(max_size=20), column=st.text(min_size=1, max_size=12))
def test_likeness_is_a_share(words, column):
    assert 0.0 <= likeness(words, column) <= 1.0


def test_one_place_in_the_question_stands_for_one_column():
    evidence = QuestionEvidence("does the drug dose help, and the drug price", COLUMNS, LEVELS)
    assert evidence.overlaps("the drug dose help", {}, {"drug_dose"})
    assert not evidence.overlaps("the drug price", {}, {"drug_dose"})
    assert not evidence.overlaps("the drug", {"sex": "the drug dose", "fev1": "drug price"}, {"sex", "fev1"})
    assert evidence.overlaps("drug dose help", {"sex": "the drug dose"}, {"sex"})
    assert evidence.overlaps(None, {"sex": "the drug dose"}, {"sex"}, "drug_dose")


@pytest.mark.parametrize(
    ("question", "reading", "against"),
    [
        ("Does drug_dose change fev1?", "effect: drug_dose on fev1.", {}),
        ("Does it change fev1?", "effect: drug_dose on fev1.", {"unnamed": 1}),
        ("Does drug_dose change fev1, given age?", "effect: drug_dose on fev1.", {"left_out": 1}),
        ("Graph of drug_dose and fev1?", "graph: all columns.", {"all_despite_names": 2}),
        (
            "Does drug_dose change fev1 in males over 60?",
            "effect: drug_dose on fev1.",
            {"number_left_out": 1, "level_left_out": 1},
        ),
        ("Does drug_dose change fev1 in males?", "subgroup: drug_dose on fev1 where males = sex is exactly male.", {}),
        ("Is it of any use?", "none.", {"not_causal": 1}),
        (
            "Is drug_dose of any use to 12 males?",
            "none.",
            {"not_causal": 1, "left_out": 1, "number_left_out": 1, "level_left_out": 1},
        ),
        (
            "Does drug_dose change fev1 in males?",
            "subgroup: drug_dose on fev1 where males = sex is exactly female.",
            {"level_passed_over": 1},
        ),
        (
            "Does drug_dose change fev1 in those not treated?",
            "subgroup: drug_dose on fev1 where not treated = arm is exactly yes.",
            {"denial": 1},
        ),
        (
            "Does drug_dose change fev1 in those not treated?",
            "subgroup: drug_dose on fev1 where treated = arm is exactly no.",
            {},
        ),
        (
            "Does drug_dose change fev1 in the treated?",
            "subgroup: drug_dose on fev1 where treated = arm is exactly no.",
            {"denial": 1},
        ),
        (
            "Does drug_dose change fev1 in the indoor group?",
            "subgroup: drug_dose on fev1 where indoor = outdoor is exactly 1.",
            {"denial": 1},
        ),
        (
            "Does drug_dose change fev1 in the indoor group?",
            "subgroup: drug_dose on fev1 where indoor = outdoor is exactly 0.",
            {},
        ),
        (
            "Does drug_dose change fev1 in those who are no males?",
            "subgroup: drug_dose on fev1 where males = sex is exactly male.",
            {"denial": 1},
        ),
        (
            "Does drug_dose change fev1 in those who are no males?",
            "subgroup: drug_dose on fev1 where males = sex is exactly female.",
            {"level_passed_over": 1},
        ),
        (
            "Does drug_dose change fev1 at 60 to 70?",
            "subgroup: drug_dose on fev1 where at 60 = age is from 60 and age is to 70.",
            {},
        ),
        (
            "Does drug_dose change fev1 at 60 to 70?",
            "subgroup: drug_dose on fev1 where at 60 = age is from 60.",
            {"number_left_out": 1},
        ),
    ],
)
def test_what_counts_against_a_whole_reading(question, reading, against):
    columns = (*COLUMNS, "arm", "outdoor")
    form = ReadingForm(question, columns, LEVELS)
    parts = [part.split(" = ") for part in re.split(": | on | where | is ", reading) if " = " in part]
    form.signs.likely.of = {column: [] for column in columns} | {
        column: [Taken(said, 0.0, 0.0)] for said, column in parts
    }
    (draft,) = _whole(form, form.begin(), reading)
    assert {name: sign for name, sign in zip(SIGNS, draft.signs, strict=True) if sign} == against


@pytest.mark.parametrize(
    ("question", "condition", "against"),
    [
        ("Does drug_dose change fev1 in men over 60?", "over 60 = age is over 60", {"level_left_out": 1}),
        ("Does drug_dose change fev1 in men over 60?", "men = gender is exactly 2", {"number_left_out": 1}),
        ("Does drug_dose change fev1 in men and women over 60?", "over 60 = age is over 60", {}),
        ("Does drug_dose change fev1 in men and women over 60?", "over 60 = age is from 60", {"other_operator": 1}),
        ("Does drug_dose change fev1 for women?", "women = pat_f is exactly 1", {}),
        ("Does drug_dose change fev1 for women?", "women = pat_f is exactly 0", {"level_passed_over": 1, "denial": 1}),
        ("Does drug_dose change fev1 for men?", "men = pat_f is exactly 1", {"level_passed_over": 1, "denial": 1}),
        ("Does drug_dose change fev1 for ladies?", "ladies = sx is exactly M", {"level_passed_over": 1}),
        ("Does drug_dose change fev1 for ladies?", "ladies = sx is exactly W", {}),
    ],
)
def test_a_question_about_one_sex_is_about_a_column_of_it(question, condition, against):
    levels: dict[str, list[object]] = {"pat_f": [0, 1], "sx": ["M", "W"], "gender": [1, 2]}
    columns = ("drug_dose", "fev1", "age", *levels)
    form = ReadingForm(question, columns, levels)
    said, column = condition.split(" is ")[0].split(" = ")
    form.signs.likely.of = {name: [] for name in columns} | {column: [Taken(said, 0.0, 0.0)]}
    (draft,) = _whole(form, form.begin(), f"subgroup: drug_dose on fev1 where {condition}.")
    assert {name: sign for name, sign in zip(SIGNS, draft.signs, strict=True) if sign} == against


def _whole(form: ReadingForm, draft: Draft, reading: str) -> list[Draft]:
    """The draft that is written so."""
    if draft.next is None:
        return [draft] if draft.text == reading else []
    grown = [then for then in draft.next(draft, math.inf) if reading.startswith(then.text)]
    return [whole for then in grown for whole in _whole(form, then, reading)]


@pytest.mark.parametrize(
    ("question", "values", "shared"),
    [
        ("those who hear history", ("history", "history"), 1),
        ("history lovers who hear history", ("history", "history"), 0),
        ("those who hear history", ("history", "crime"), 0),
        ("those who hear tales of old", ("history", "history"), 0),  # said in other words
    ],
)
def test_a_value_that_is_said_once_is_of_one_condition(question, values, shared):
    levels = {"genre": ["crime", "history"], "genre_fav": ["crime", "history"]}
    evidence = QuestionEvidence(question, ["speed", "done", *levels], levels)
    conditions = [Condition(column=one, operator="=", value=value) for one, value in zip(levels, values, strict=True)]
    assert evidence.values_shared(conditions) == shared


def test_a_number_that_is_said_once_is_of_one_condition():
    evidence = QuestionEvidence("five people and a baby in the house", ["persons", "babies", "own"], {"own": [0, 1, 5]})
    persons, babies = (Condition(column=one, operator="=", value=5) for one in ("persons", "babies"))
    assert evidence.values_shared([persons, babies]) == 1
    assert evidence.values_shared([persons, Condition(column="babies", operator="=", value=1)]) == 0
