"""Which models may share key-value states between texts: found out by trying, and refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, MambaConfig, MambaForCausalLM, MistralConfig, MistralForCausalLM

from lm import LanguageModel, LanguageModelError
from lm.tiny import tiny_tokenizer

from .oracle import log_prob

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}


def _wrapped(model) -> LanguageModel:
    return LanguageModel("made", model.eval(), tiny_tokenizer())


@pytest.fixture
def mistral() -> LanguageModel:
    torch.manual_seed(0)
    config = MistralConfig(vocab_size=300, intermediate_size=64, sliding_window=24, initializer_range=0.3, **SIZES)
    return _wrapped(MistralForCausalLM(config))


def test_within_its_window_a_sliding_model_scores_as_whole_texts_do(mistral):
    session = mistral.session()
    for context in ("The sky", "The sky is"):
        (row,) = session.score([context], [["blue", "bare"]])
        assert np.allclose(row, [log_prob(mistral, context, f" {level}") for level in ("blue", "bare")], atol=1e-4)


def test_beyond_its_window_it_is_refused(mistral):
    with pytest.raises(LanguageModelError, match="sees 24 as a whole"):
        mistral.score(["x" * 30], [["a", "b"]])


def test_learned_positions_end_where_they_end():
    torch.manual_seed(0)
    lm = _wrapped(GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=40, n_embd=32, n_layer=2, n_head=4)))
    (row,) = lm.score(["The sky is"], [["blue", "bare"]])
    assert np.allclose(row, [log_prob(lm, "The sky is", f" {level}") for level in ("blue", "bare")], atol=1e-4)
    with pytest.raises(LanguageModelError, match="sees 40 as a whole"):
        lm.score(["x" * 60], [["a"]])


def test_a_model_without_key_value_states_is_refused():
    config = MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2, state_size=4)
    with pytest.raises(LanguageModelError, match="MambaForCausalLM cannot be used"):
        _wrapped(MambaForCausalLM(config)).score(["a"], [["b"]])
