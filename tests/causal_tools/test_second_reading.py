"""What the second reader holds against a reading, in nats, and that a search listens to it."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from causal_tools.columns_shown import items_of
from causal_tools.contract import Condition
from causal_tools.reading_evidence import QuestionEvidence
from causal_tools.reading_form import ReadingForm
from causal_tools.reading_search import Asked, find_readings
from causal_tools.reading_weights import NO_WEIGHTS, SIGNS, Weights
from causal_tools.second_reading import (
    EACH_FURTHER,
    MOST_AGAINST,
    MOST_MISSED,
    OPERATORS,
    SecondReading,
    second_readings,
)
from lm import load_language_model
from lm.pointer import SHIPPED_SECOND, SHIPPED_THIRD, Item, Links, Pointed

from .readings import grown

COLUMNS = ("drug", "pain", "age")
QUESTION = "How does drug change pain?"


def _second(
    question: str = QUESTION,
    levels: dict[str, tuple[object, ...]] | None = None,
    operators: dict[str, dict[str, float]] | None = None,
    options: dict[str, list[float]] | None = None,
    links: list[list[float]] | None = None,
    **slots: list[float],
) -> SecondReading:
    """A reading of nothing but what is told; chances of operators, options and links, log-odds of slots."""
    logits = {name: np.array(slots.get(name, [0.0, 0.0, 0.0])) for name in ("treatment", "response", "mediator")}
    logits |= {name: np.array(slots.get(name, [-20.0] * 3)) for name in ("condition", "node")}
    classes = dict.fromkeys(("CGL", "ATE", "HTE", "MA", "OPO", "NONE"), math.log(0.1)) | {"ATE": math.log(0.5)}
    kinds = {op: np.log([(operators or {}).get(column, {}).get(op, 1 / 7) for column in COLUMNS]) for op in OPERATORS}
    words = [found.span() for found in re.finditer(r"\w+|\?", question)]
    pointed = Pointed(
        classes,
        {"all": 0.0},
        logits,
        kinds,
        [np.log((options or {}).get(column, [])) for column in COLUMNS],
        (Links(np.log(links or [[0.25] * 4] * len(words)), words),),
    )
    return SecondReading(pointed, question, COLUMNS, levels)


def test_what_is_against_a_choice_is_its_negative_log_probability():
    second = _second(treatment=[math.log(6), math.log(3), math.log(1)], condition=[-20.0, -20.0, math.log(3)])
    assert second.against_task("ATE") == pytest.approx(math.log(2))
    assert second.against_task("NONE") == pytest.approx(math.log(10))
    assert second.against_role("treatment", "drug") == pytest.approx(-math.log(0.6))
    assert second.against_role("treatment", "age") == pytest.approx(-math.log(0.1))
    assert second.against_one("condition", "age") == pytest.approx(-math.log(0.75))
    assert second.against_rest("condition", {"age"}) == pytest.approx(0.0, abs=1e-6)
    assert second.against_rest("condition", ()) == pytest.approx(-math.log(0.25))
    assert second.against_all(True) == second.against_all(False) == pytest.approx(math.log(2))


def test_nothing_is_impossible():
    second = _second(treatment=[500.0, 0.0, -np.inf], node=[500.0, 500.0, -np.inf])
    assert second.against_role("treatment", "pain") == MOST_AGAINST
    assert second.against_role("treatment", "age") == MOST_AGAINST
    assert second.against_one("node", "age") == MOST_AGAINST
    assert second.against_rest("node", ()) == MOST_MISSED


def _signs(draft) -> dict[str, float]:
    return {name: value for name, value in zip(SIGNS, draft.signs, strict=True) if name.startswith("second_") and value}


def test_a_reading_pays_for_each_choice_and_for_what_it_leaves_out():
    levels = {"age": ("old", "young")}
    second = _second(
        treatment=[math.log(6), math.log(3), 0.0],
        response=[0.0, math.log(8), 0.0],
        condition=[-20.0, -20.0, math.log(3)],
        node=[math.log(3), math.log(3), math.log(9)],
    )
    form = ReadingForm(QUESTION, COLUMNS, levels, None, second)
    effect = _signs(grown(form, "effect:", " drug on", " pain."))
    assert effect == pytest.approx(
        {"second_task": math.log(2), "second_role": -math.log(0.6) - math.log(0.8), "second_condition": -math.log(0.25)}
    )
    group = _signs(grown(form, "subgroup:", " drug on", " pain where", " age is", " exactly", " old."))
    assert group["second_condition"] == pytest.approx(-math.log(0.75), abs=1e-6)
    assert group["second_operator"] == pytest.approx(math.log(7))
    graph = _signs(grown(form, "graph:", " drug,", " pain."))
    assert graph["second_node"] == pytest.approx(math.log(2) - 2 * math.log(0.75) - math.log(0.1))
    every = _signs(grown(form, "graph:", " all columns."))
    assert every == pytest.approx({"second_task": math.log(10), "second_node": math.log(2)})


def test_without_a_second_reader_there_are_no_such_signs():
    assert _signs(grown(ReadingForm(QUESTION, COLUMNS, None), "effect:", " drug on", " pain.")) == {}
    assert not NO_WEIGHTS.hear_second
    assert Weights().hear_second


def test_what_is_against_words_is_their_mean_where_they_say_it_most_clearly():
    links = [[0.1, 0.1, 0.1, 0.7], [0.5, 0.2, 0.2, 0.1], [0.8, 0.1, 0.05, 0.05], [0.2, 0.6, 0.1, 0.1]]
    second = _second("the drug drug eases", links=links)
    assert second.against_words("drug", "drug") == pytest.approx(-math.log(0.8))
    assert second.against_words("the drug", "drug") == pytest.approx(-(math.log(0.1) + math.log(0.5)) / 2)
    assert second.against_words("eases", "pain") == pytest.approx(-math.log(0.6))
    assert second.against_words("not there", "pain") == 0.0


def test_numbers_are_bound_to_the_columns_that_they_speak_of():
    links = [[0.1, 0.1, 0.7, 0.1], [0.05, 0.05, 0.8, 0.1], [0.1, 0.1, 0.1, 0.7], [0.1, 0.1, 0.2, 0.6]]
    second = _second("over 60 in 2020", links=links)
    assert second.against_number(60, "age") == pytest.approx(-math.log(0.8))
    assert second.against_number(60, "pain") == pytest.approx(-math.log(0.05))
    assert second.against_number(7, "age") == 0.0
    assert second.against_aside({60}) == pytest.approx(-math.log(0.6))
    assert second.against_aside({2020}) == pytest.approx(-math.log(0.1))
    assert second.against_aside(()) == pytest.approx(-math.log(0.6) - math.log(0.1))


def test_a_condition_pays_for_its_operator_its_levels_and_its_numbers():
    second = _second(
        "over 60 in 2020",
        levels={"drug": ("a", "b", "c")},
        operators={"drug": {"=": 0.9, "in": 0.05}, "age": {">": 0.75}},
        options={"drug": [0.5, 0.3, 0.2]},
    )
    one = second.signs_of([Condition(column="drug", operator="=", value="b")])
    assert one == pytest.approx(
        {"second_operator": -math.log(0.9), "second_level": -math.log(0.3), "second_number": 0.0}
    )
    two = second.signs_of([Condition(column="drug", operator="in", value=("a", "b"))])
    assert two["second_level"] == pytest.approx(-(math.log(0.5) + math.log(0.3)) / 2 - math.log(2))
    three = second.signs_of([Condition(column="drug", operator="in", value=("a", "b", "c"))])
    mean = -(math.log(0.5) + math.log(0.3) + math.log(0.2)) / 3
    assert three["second_level"] == pytest.approx(mean - math.log(3) + EACH_FURTHER)
    between = [Condition(column="age", operator=op, value=value) for op, value in ((">", 60), ("<", 2020))]
    assert second.signs_of(between) == pytest.approx(
        {"second_operator": -math.log(0.75), "second_level": 0.0, "second_number": -2 * math.log(0.25)}
    )
    number = second.signs_of([Condition(column="age", operator=">", value=60)])
    assert number == pytest.approx(
        {"second_operator": -math.log(0.75), "second_level": 0.0, "second_number": -math.log(0.25)}
    )


def test_a_level_that_was_not_shown_is_as_unlikely_as_the_least_likely_one():
    many = ("north", "east", "south", "west", "inner", "outer", "upper", "lower")
    chances = [0.45, 0.45, 0.04, 0.03, 0.02, 0.01]  # of the two that the question says, and of the next four
    second = _second("in the east or the west", levels={"drug": many}, options={"drug": chances})
    assert second.against_levels("drug", ("east", "west")) == pytest.approx(-math.log(0.45) - math.log(2))
    assert second.against_levels("drug", ("lower",)) == pytest.approx(-math.log(0.01))
    mixed = -(math.log(0.45) + math.log(0.01)) / 2 - math.log(2)
    assert second.against_levels("drug", ("east", "lower")) == pytest.approx(mixed)
    assert second.against_levels("drug", ("east", "west", "north")) >= 0.0
    teams = _second("for team 8", levels={"age": tuple(range(1, 13))}, options={"age": [0.1, 0.5, 0.1, 0.1, 0.1, 0.1]})
    assert teams.against_levels("age", (8,)) == 0.0  # the question says it, though the readers were not asked
    assert teams.against_levels("age", (9,)) == pytest.approx(-math.log(0.1))


def test_columns_are_shown_in_plain_words_as_the_question_spells_them_with_levels_that_it_says_first():
    columns = ("sysBP_2", "slope", "married", "site")
    levels = {"slope": ["flat", "mild", "steep"], "married": [0, 1], "site": [*"abcdefg", "harbour"]}
    plain, slope, married, site = items_of("is it steep", columns, levels)
    assert plain == Item("sys bp 2")
    assert slope == Item("slope", ("steep", "flat", "mild"))
    assert married == Item("married", ("no", "yes"))
    assert site.options == ("a", "b", "c", "d", "e", "f")
    written_out = items_of("does the systolic pressure at the harbour rise?", ["sys_pr", *columns], levels)
    assert [item.name for item in written_out] == [
        "systolic pr , sys pr",
        "systolic bp 2 , sys bp 2",
        *["slope", "married", "site"],
    ]
    named = items_of("does sysBP_2 rise at the harbour when Married?", columns, levels)
    assert [item.name for item in named] == ["named sysBP_2 , sys bp 2", "slope", "named Married", "site"]
    assert named[3].options[0] == "harbour"


@pytest.mark.parametrize("readers", [[SHIPPED_SECOND], [SHIPPED_THIRD], [SHIPPED_SECOND, SHIPPED_THIRD]])
def test_the_shipped_readers_know_who_acts_on_whom(readers):
    twins = second_readings(
        [
            ("What is the effect of exercise on blood pressure?", ("exercise_h", "sys_bp", "age"), None),
            ("What is the effect of blood pressure on exercise?", ("exercise_h", "sys_bp", "age"), None),
        ],
        readers,
    )
    for second, cause, outcome in zip(twins, ("exercise_h", "sys_bp"), ("sys_bp", "exercise_h"), strict=True):
        assert second.against_role("treatment", cause) < 0.7 < second.against_role("treatment", outcome)
        assert second.against_task("ATE") < 0.7


def test_a_search_listens_to_the_second_reader():
    """A model that knows nothing reads what the second reader reads, where that alone counts."""
    alone = Weights(**{name: 20.0 if name.startswith("second_") else 0.0 for name in SIGNS})
    question = "What is the effect of exercise on blood pressure?"
    (found,) = find_readings(load_language_model("tiny"), [Asked(question, ("exercise_h", "sys_bp", "age"))], alone)
    assert found[0].fields == {"task": "ATE", "treatment": "exercise_h", "response": "sys_bp"}


def test_numbers_that_are_options_of_a_column_of_the_reading_are_not_left_out():
    """In "1, 2 or 3 doses", the numbers are the levels of what is decided on."""
    question = "Should a patient over 60 get 1 or 2 of drug against pain?"
    second = _second(question, levels={"drug": (1, 2)}, links=[[0.3, 0.1, 0.1, 0.5]] * 14)
    fields = {"task": "OPO", "treatment": "drug", "response": "pain"}
    assert second.signs_of_whole(fields)["second_number"] == pytest.approx(-math.log(0.5))
    assert second.signs_of_whole(fields | {"treatment": "age"})["second_number"] == pytest.approx(-3 * math.log(0.5))
    by_words = second.signs_of_whole(fields | {"response": "age"}, {"age": "a patient over 60"})
    assert by_words["second_number"] == pytest.approx(-math.log(0.5))  # no number of that column
    form = ReadingForm(question, COLUMNS, {"drug": (1, 2)}, None)
    left_out = form.signs.evidence.left_out
    assert left_out({"drug", "pain"}, (), {})["number_left_out"] == 1
    assert left_out({"age", "pain"}, (), {})["number_left_out"] == 2
    assert left_out({"drug", "pain"}, (60,), {})["number_left_out"] == 0


def test_words_for_a_column_hold_a_number_where_its_name_or_levels_do():
    """Else words would be taken for a column for the sake of a number beside them."""
    evidence = QuestionEvidence(
        "Is the mood at week 6 better for those under 30?", ("mood_w6", "band"), {"band": ("<30", "30+")}
    )
    assert (
        evidence.left_out({"mood_w6", "band"}, (), {"mood_w6": "mood at week 6", "band": "under 30"})["number_left_out"]
        == 0
    )
    assert evidence.left_out({"mood_w6"}, (), {"mood_w6": "better for those under 30"})["number_left_out"] == 1
