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


@settings(deadline=None, max_examples=60)
@given(
    start=st.text("ab c", max_size=6),
    candidates=st.lists(st.text("abc ,", min_size=1, max_size=7), min_size=1, max_size=9),
)
def test_looking_only_at_what_can_win_finds_the_same_winner(tiny, start, candidates):
    """Every score is exact or an upper bound below the winner's, so the choice is that of the full scores."""
    expected = np.array([log_prob(tiny, start, candidate) for candidate in candidates])
    likely = tiny.continuation(start).likely_log_probs(candidates)
    assert likely.max() == pytest.approx(expected.max(), abs=1e-4)
    assert expected[int(np.argmax(likely))] == pytest.approx(expected.max(), abs=1e-4)
    assert (likely >= expected - 1e-4).all()


def test_the_winner_is_found_beyond_the_first_tokens_margin(tiny):
    """The likeliest first byte may lead to the unlikeliest text; the others are then looked at after all."""
    text = "The"
    firsts = {c: log_prob(tiny, text, c) for c in map(chr, range(97, 123))}
    best, worst = max(firsts, key=firsts.get), min(firsts, key=firsts.get)
    assert firsts[best] - firsts[worst] > 5  # beyond the margin
    candidates = [best + "qzqzqzqzqzqzqzqz", worst]
    expected = [log_prob(tiny, text, candidate) for candidate in candidates]
    assert expected[1] > expected[0]
    assert tiny.continuation(text).likely_log_probs(candidates)[1] == pytest.approx(expected[1], abs=1e-4)
    assert int(np.argmax(tiny.continuation(text).likely_log_probs(candidates))) == 1
