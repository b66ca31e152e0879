"""The sentence encoder: vectors of length one, the same alone and among others, near where texts mean the same."""

from __future__ import annotations

import numpy as np
import pytest

from lm.sentences import sentence_encoder

TEXTS = ["the price of a house", "what a home costs", "a dog barks at night", "x", "", "日本 naïve"]


def test_vectors_have_length_one_and_do_not_depend_on_company():
    encoder = sentence_encoder()
    together = encoder.embed(TEXTS)
    assert together.shape == (len(TEXTS), 384)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    fresh = type(encoder)(encoder._model, encoder._tokenizer)
    alone = np.concatenate([fresh.embed([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-4)


def test_the_same_meaning_is_nearer_than_another():
    near, far = sentence_encoder().nearness(TEXTS[0], TEXTS[1:3])
    assert near > far + 0.2
    assert sentence_encoder().nearness("a", ["a"])[0] == pytest.approx(1.0, abs=1e-5)
