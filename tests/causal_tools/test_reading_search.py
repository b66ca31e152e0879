"""Which readings are found, and what they score."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery
from causal_tools.parsing import read_question
from causal_tools.prompts import parse_messages, reading_text
from causal_tools.reading_search import Asked, find_readings
from causal_tools.reading_weights import NO_WEIGHTS, Weights

from .readings import NAMES, ODD_NAMES, QUESTIONS, SPELT, Preferring, Scripted, keeps_the_contract


@settings(deadline=None, max_examples=40)
@given(
    taste=st.integers(0, 10**6),
    columns=st.lists(st.sampled_from(ODD_NAMES) | NAMES, min_size=2, max_size=7, unique=True),
    question=st.sampled_from(QUESTIONS) | st.text(min_size=1, max_size=40).filter(str.strip),
    levels=st.none()
    | st.dictionaries(st.sampled_from(ODD_NAMES), st.lists(NAMES | st.integers(), max_size=4, unique_by=str)),
)
@example(taste=0, columns=["age", "ag", "0"], question=".0", levels=None)
@example(taste=0, columns=["age", "ag", "0"], question="Is " + "9" * 400 + " or 0.50 or .5 best?", levels={})
def test_any_preference_gives_a_sound_reading_and_what_is_written_is_that_reading(taste, columns, question, levels):
    model = Preferring(taste)
    for draft in find_readings(model, [Asked(question, tuple(columns), levels=levels)], SPELT)[0]:
        if draft.task == "NONE":
            assert draft.text == "none."
        elif draft.fault is None:
            query = CausalQuery.model_validate(draft.fields)
            keeps_the_contract(query, columns, levels)
            assert draft.text == reading_text(query, draft.said)
            assert set(draft.said) <= set(columns)
            assert all(words in " ".join(question.split()) for words in draft.said.values())


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("What is the effect of dose on pain?", "ATE"),
        ("What is the effect of dose on pain for those over 60?", "HTE"),
        ("How much of the effect of dose on pain goes through sleep?", "MA"),
        ("Which dose is best against pain at age 60?", "OPO"),
        ("Draw the causal graph of dose, pain and sleep.", "CGL"),
        ("What is the mean age?", "NONE"),
    ],
)
def test_a_question_of_each_task_is_read_as_such(question, task):
    """By a model without taste: the readers and the question's words decide."""
    found = find_readings(Preferring(1), [Asked(question, ("dose", "pain", "sleep", "age"), levels={})], Weights())[0]
    assert found[0].task == task


def test_a_readings_score_is_its_log_probability_less_what_speaks_against_it(models, monkeypatch):
    """Against the plain oracle: readings found of a real network, part by part; words for a column are given."""
    from ..lm.oracle import log_prob

    monkeypatch.setattr(
        "causal_tools.reading_search.REACH", 30.0
    )  # else there is one query alone, and nothing to judge
    columns, question = ["smoker", "smoker_age", "fev1"], "What is the effect of smoker on lungs, or fev1?"
    for model in models[:2]:
        start = model.chat_text(parse_messages(question, columns))
        drafts = find_readings(model, [Asked(question, tuple(columns), levels={})], Weights())[0]
        effects = [draft for draft in drafts if draft.task == "ATE"]
        assert effects
        for draft in effects[:5]:
            before, nats = start, 0.0
            given = [f" {words} =" for words in draft.said.values()]
            for part in re.split(f"({'|'.join(map(re.escape, given))})", draft.text) if given else [draft.text]:
                nats += log_prob(model, before, part) if part and part not in given else 0.0
                before += part
            assert draft.log_prob == pytest.approx(nats, abs=1e-3)
        assert any("=" in draft.text for draft in effects)
        sums = [sum(np.exp(d.score(Weights())) for d in drafts if d.query == draft.query) for draft in drafts]
        assert sums == sorted(sums, reverse=True)


def test_where_all_that_is_proposed_is_one_query_the_model_is_not_asked():
    class Silent(Preferring):
        def score_continuations(self, contexts, candidates):
            raise AssertionError("asked")

    reading = read_question(Silent(0), "What is the effect of dose on pain?", ["dose", "pain", "age"], levels={})
    assert (reading.query.treatment, reading.query.response) == ("dose", "pain")
    assert reading.confidence == pytest.approx({"task": 1.0, "treatment": 1.0, "response": 1.0})


def test_values_share_out_the_models_probability_among_those_that_there_are(monkeypatch):
    monkeypatch.setattr("causal_tools.reading_search.REACH", 30.0)
    question, columns = "Effect of t on y where c is b?", ("t", "y", "c")
    model = Scripted("subgroup: t on y where c is exactly b.", dislike=3.0)
    found = find_readings(model, [Asked(question, columns, levels={"c": ["a", "b", "d"]})], Weights())[0]
    right = next(draft for draft in found if draft.text == model.wanted)
    assert right.log_prob == pytest.approx(-np.log(1 + 2 * np.exp(-3.0)))


def test_confidence_is_the_share_of_the_readings_found_that_agree():
    """Two columns and no levels: of the readings proposed, one stands at 0 and the others at −4."""
    model = Scripted("effect: a on b.", dislike=4.0)
    confidence = read_question(model, "Does a act on b?", ["a", "b"], levels={}, weights=NO_WEIGHTS).confidence
    found = find_readings(model, [Asked("Does a act on b?", ("a", "b"), levels={})], NO_WEIGHTS)[0]
    shares = np.exp([draft.score(NO_WEIGHTS) for draft in found])
    agreeing = [draft.task == "ATE" for draft in found]
    assert 0.5 < confidence["task"] == pytest.approx(shares[agreeing].sum() / shares.sum())
