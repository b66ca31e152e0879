"""What may be written next in a reading."""

from __future__ import annotations

import pytest

from causal_tools.contract import Condition
from causal_tools.parsing import read_question
from causal_tools.prompts import OPERATOR_WORDS
from causal_tools.reading_form import ReadingForm

from .readings import Scripted, grown, offered


def test_a_reading_with_conditions_is_written_slot_by_slot():
    question = "In trial.csv, what does drug do to days where region is north or south and age is 45 and more?"
    columns, levels = ("drug", "days", "region", "age"), {"region": ["north", "south", "west"]}
    draft = grown(
        ReadingForm(question, columns, levels),
        *("subgroup:", " drug on", " days where", " region is", " among", " north or", " south and", " age is"),
        *(" from", " 45."),
    )
    assert draft.fields == {
        "task": "HTE",
        "treatment": "drug",
        "response": "days",
        "conditions": (
            Condition(column="region", operator="in", value=("north", "south")),
            Condition(column="age", operator=">=", value=45),
        ),
    }
    assert draft.next is None
    rivals = {draft.text[begin:end]: set(pieces) for begin, end, pieces in draft.offered}
    assert rivals[" north or"] == {" north or", " south or"}  # one more must follow, in the question's order
    assert rivals[" 45."] == {" 45."}
    reading = read_question(Scripted(draft.text), question, columns, levels=levels)
    assert reading.query.conditions == draft.fields["conditions"]
    assert reading.query.dataset == "trial.csv"


def test_sets_of_columns_are_written_once_in_the_order_of_the_question():
    form = ReadingForm("Which of cc, aa and dd drive bb?", ("aa", "bb", "cc", "dd", "ee"), None)
    assert offered(form, "graph:", " cc,") >= {" aa,", " dd,", " aa.", " dd.", " bb."}
    assert not offered(form, "graph:", " aa,") & {" cc,", " cc.", " ee,"}
    assert " all columns." in offered(form, "graph:")
    assert " all columns." not in offered(form, "graph:", " cc,")


@pytest.mark.parametrize("words", ["aged 30 to 50", "aged between 30 and 50", "aged from 30 years up to 50 years"])
def test_a_range_is_two_conditions_on_one_column(words):
    question = f"For men in the north, {words}, how does the drug act on days?"
    text = "subgroup: drug on days where north = region is exactly north and aged = age is from 30 and age is to 50."
    levels = {"region": ["north", "south"]}
    reading = read_question(Scripted(text), question, ["drug", "days", "age", "region"], levels=levels)
    assert reading.query.conditions == (
        Condition(column="region", operator="=", value="north"),
        Condition(column="age", operator=">=", value=30),
        Condition(column="age", operator="<=", value=50),
    )
    alone = ReadingForm("For men aged 30, not 50, how does the drug act on days?", ("drug", "days", "age"), {})
    assert not any(
        "and age" in piece for piece in offered(alone, "subgroup:", " drug on", " days where", " age is", " from")
    )


def test_a_column_may_come_after_the_questions_words_for_it():
    question = 'Does "the new drug" mean breathing better, at 3?'
    model = Scripted("effect: the new drug = dose on breathing better = fev1.", dislike=0.0)
    reading = read_question(model, question, ["dose", "fev1", "age"])
    assert (reading.query.treatment, reading.query.response) == ("dose", "fev1")
    assert set(reading.said) == {"dose", "fev1"}
    assert "drug" in reading.said["dose"]
    assert "breathing" in reading.said["fev1"]
    form = ReadingForm(question, ["dose", "fev1", "age"], None)
    assert not any(piece.startswith(" 3 =") for piece in offered(form, "effect:"))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("at 1,234.5 units", {"1234.5"}),
        ("below −3 degrees", {"-3"}),
        ("between 10 and 20.5", {"10", "20.5"}),
        ("with +7 points", {"7"}),
        ("at .5 or 0.50 of it", {"0.5"}),
        ("for v2 only", set()),
    ],
)
def test_numbers_of_the_question_are_offered_as_values(text, numbers):
    form = ReadingForm(f"Effect of a on b {text}?", ["a", "b", "c"], {})
    assert (" b where" in offered(form, "subgroup:", " a on")) == bool(numbers)
    if numbers:
        pieces = offered(form, "subgroup:", " a on", " b where", " c is", " exactly")
        assert {piece[1:-1] for piece in pieces} == numbers


@pytest.mark.parametrize(
    ("levels", "operators"),
    [([0, 1], {"exactly"}), (["a", "b", "c"], {"exactly", "not", "among"}), ([1, 2, 3], set(OPERATOR_WORDS.values()))],
)
def test_a_condition_is_offered_the_operators_that_say_something_of_its_column(levels, operators):
    form = ReadingForm(f"what does t do to y where c is {levels[0]}, of 7?", ["t", "y", "c"], {"c": levels})
    found = offered(form, "subgroup:", " t on", " y where", " c is")
    assert {piece.strip() for piece in found} == operators


def test_a_condition_on_all_levels_of_a_column_is_none():
    form = ReadingForm(
        "does t act on y in the north, south or east?", ["t", "y", "c"], {"c": ["north", "south", "east"]}
    )
    two = ("subgroup:", " t on", " y where", " c is", " among", " north or")
    assert offered(form, *two) == {" south.", " south or", " east."}
    assert offered(form, *two, " south or") == set()
