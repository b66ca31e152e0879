"""A growing text: whatever was appended before, a candidate's score is that of the whole text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lm import load_language_model

from .oracle import log_prob


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


@pytest.fixture(scope="module")
def smollm():
    return load_language_model("smollm2-135m", device="cpu")


PIECES = st.text('ab "é', min_size=1, max_size=6)


@settings(deadline=None, max_examples=25)
@given(
    start=st.text('ab "é', max_size=8),
    steps=st.lists(st.tuples(PIECES, st.lists(PIECES, min_size=1, max_size=4, unique=True)), min_size=1, max_size=5),
)
def test_after_any_appends_scores_are_those_of_the_whole_text(tiny, start, steps):
    text = tiny.continuation(start)
    for piece, candidates in steps:
        text.append(piece)
        expected = [log_prob(tiny, text.text, candidate) for candidate in candidates]
        assert np.allclose(text.log_probs(candidates), expected, atol=1e-4)


def test_the_real_model_scores_slot_after_slot_like_whole_texts(smollm):
    text = smollm.continuation('Read: {"task": "')
    for lead, candidates in [
        ("", ['effect",', 'graph",', 'none"}']),
        ('effect", "treatment": "', ['smoker",', 'smoker_age",', 'fev1",']),
        ('smoker", "response": "', ['fev1"}', 'age"}']),
    ]:
        text.append(lead)
        expected = [log_prob(smollm, text.text, candidate) for candidate in candidates]
        assert np.allclose(text.log_probs(candidates), expected, atol=1e-3)


def test_text_that_rewrites_the_last_token_is_scored_anew(smollm):
    """'Her hus' + 'band' become one token, so the cache has to go back."""
    text = smollm.continuation("Her hus")
    first = text.log_probs([" is", "band"])
    text.append("band")
    then = text.log_probs([" is", " was"])
    assert np.allclose(first, [log_prob(smollm, "Her hus", c) for c in (" is", "band")], atol=1e-3)
    assert np.allclose(then, [log_prob(smollm, "Her husband", c) for c in (" is", " was")], atol=1e-3)


def test_asking_twice_gives_the_same_answer(tiny):
    text = tiny.continuation("The colour is")
    first = text.log_probs([" red", " blue"])
    text.log_probs([" entirely different", " and longer than before"])
    assert np.allclose(text.log_probs([" red", " blue"]), first, atol=1e-5)


def test_the_start_of_the_text_is_computed_once():
    lm = load_language_model("tiny", device="cpu")
    text = lm.continuation("x" * 200)
    text.log_probs(["a", "b"])
    after_one = lm.meter.tokens
    text.append("a")
    text.log_probs(["a", "b"])
    assert after_one <= 203
    assert lm.meter.tokens - after_one <= 5  # the last token of the text, the appended one, and the candidates


def test_no_candidate_is_refused(tiny):
    with pytest.raises(ValueError, match="no candidate"):
        tiny.continuation("a").log_probs([])


def test_a_candidate_that_adds_nothing_is_refused(tiny):
    with pytest.raises(ValueError, match="adds no token"):
        tiny.continuation("a").log_probs(["b", ""])
