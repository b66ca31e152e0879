"""What the second reader holds against a reading, in nats, and that a search listens to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from causal_tools.parsing import Asked, find_readings
from causal_tools.reading_evidence import NO_WEIGHTS, SIGNS, Weights
from causal_tools.reading_form import ReadingForm
from causal_tools.second_reading import MOST_AGAINST, SecondReading, item_text, second_readings
from lm import load_language_model
from lm.pointer import Pointed

COLUMNS = ("drug", "pain", "age")
QUESTION = "How does drug change pain?"


def _second(**slots: list[float]) -> SecondReading:
    logits = {name: np.array(slots.get(name, [0.0, 0.0, 0.0])) for name in ("treatment", "response", "mediator")}
    logits |= {name: np.array(slots.get(name, [-20.0] * 3)) for name in ("condition", "node")}
    classes = dict.fromkeys(("CGL", "ATE", "HTE", "MA", "OPO", "NONE"), math.log(0.1)) | {"ATE": math.log(0.5)}
    return SecondReading(Pointed(classes, {"all": 0.0}, logits), COLUMNS)


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
    assert second.against_rest("node", ()) == MOST_AGAINST


def _signs(draft) -> dict[str, float]:
    return {name: value for name, value in zip(SIGNS, draft.signs, strict=True) if name.startswith("second_") and value}


def _written(form: ReadingForm, *pieces: str):
    draft = form.begin()
    for piece in pieces:
        draft = next(step.then for step in draft.next(draft) if step.piece == piece)
    return draft


def test_a_reading_pays_for_each_choice_and_for_what_it_leaves_out():
    levels = {"age": ("old", "young")}
    second = _second(
        treatment=[math.log(6), math.log(3), 0.0],
        response=[0.0, math.log(8), 0.0],
        condition=[-20.0, -20.0, math.log(3)],
        node=[math.log(3), math.log(3), math.log(9)],
    )
    form = ReadingForm(QUESTION, COLUMNS, levels, None, second)
    effect = _signs(_written(form, "effect:", " drug on", " pain."))
    assert effect == pytest.approx(
        {"second_task": math.log(2), "second_role": -math.log(0.6) - math.log(0.8), "second_condition": -math.log(0.25)}
    )
    group = _signs(_written(form, "subgroup:", " drug on", " pain where", " age is", " exactly", " old."))
    assert group["second_condition"] == pytest.approx(-math.log(0.75), abs=1e-6)
    graph = _signs(_written(form, "graph:", " drug,", " pain."))
    assert graph["second_node"] == pytest.approx(math.log(2) - 2 * math.log(0.75) - math.log(0.1))
    every = _signs(_written(form, "graph:", " all columns."))
    assert every == pytest.approx({"second_task": math.log(10), "second_node": math.log(2)})


def test_without_a_second_reader_there_are_no_such_signs():
    assert _signs(_written(ReadingForm(QUESTION, COLUMNS, None), "effect:", " drug on", " pain.")) == {}
    assert not NO_WEIGHTS.hear_second
    assert Weights().hear_second


def test_columns_are_shown_in_plain_words_with_levels_that_are_words():
    assert item_text("sysBP_2", ()) == "sys bp 2"
    assert item_text("slope", ["flat", "mild", "steep"]) == "slope : flat , mild , steep"
    assert item_text("married", [0, 1]) == "married"


def test_the_shipped_reader_knows_who_acts_on_whom():
    twins = second_readings(
        [
            ("What is the effect of exercise on blood pressure?", ("exercise_h", "sys_bp", "age"), None),
            ("What is the effect of blood pressure on exercise?", ("exercise_h", "sys_bp", "age"), None),
        ]
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
