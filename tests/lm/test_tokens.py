"""Where context ends and continuation begins: as the whole text is tokenised, with and without a start token."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from lm.bundled import bundled_directory
from lm.tiny import tiny_tokenizer
from lm.tokens import encode, encode_continuations, special_prefix

TEXTS = st.text(max_size=12)
ADDED = st.text(min_size=1, max_size=8)


@pytest.fixture(scope="module")
def bundled():
    return AutoTokenizer.from_pretrained(bundled_directory())


@pytest.fixture(scope="module")
def with_bos():
    """A tokenizer that puts a start token before every text, as Llama's does."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", tokenizer.bos_token_id)]
    )
    return tokenizer


@settings(deadline=None, max_examples=150)
@given(context=TEXTS, continuations=st.lists(ADDED, min_size=1, max_size=3))
@pytest.mark.parametrize("which", ["bundled", "with_bos"])
def test_the_sequence_is_the_whole_text_tokenised_and_the_start_is_where_it_leaves_the_context(
    request, which, context, continuations
):
    tokenizer = request.getfixturevalue(which)
    alone = tokenizer(context).input_ids
    wholes = [tokenizer(context + continuation).input_ids for continuation in continuations]
    if any(whole == alone[: len(whole)] for whole in wholes):  # some control characters are in no vocabulary
        with pytest.raises(ValueError, match="adds no token"):
            encode_continuations(tokenizer, [context], [continuations])
        return
    sequences, starts = encode_continuations(tokenizer, [context], [continuations])
    for whole, ids, start in zip(wholes, sequences, starts, strict=True):
        stand_in = len(ids) - len(whole)
        assert ids[stand_in:] == whole
        assert ids[:stand_in] == [tokenizer.bos_token_id] * stand_in
        assert 1 <= start < len(ids)
        inside = start - stand_in
        assert whole[:inside] == alone[:inside]
        assert inside == len(alone) or whole[inside] != alone[inside]


def test_every_token_of_a_continuation_counts_where_it_melts_into_the_contexts_only_token(bundled):
    """'a' + 'b' is the one token 'ab': it must be scored, after the stand-in start token."""
    assert len(bundled("ab").input_ids) == 1
    sequences, starts = encode_continuations(bundled, ["a"], [["b", " c"]])
    assert sequences[0] == [bundled.bos_token_id, *bundled("ab").input_ids]
    assert starts[0] == 1
    assert sequences[1][: starts[1]][-1:] == bundled("a").input_ids


def test_a_text_without_tokens_becomes_the_start_token(bundled, with_bos):
    assert encode(bundled, [""]) == [[bundled.bos_token_id]]
    assert encode(with_bos, [""]) == [[with_bos.bos_token_id]]
    assert encode(bundled, []) == []


def test_the_tokenizers_own_start_token_is_found(bundled, with_bos):
    assert special_prefix(bundled) == []
    assert special_prefix(with_bos) == [with_bos.bos_token_id]


def test_a_start_token_comes_once(with_bos):
    sequences, starts = encode_continuations(with_bos, ["ab"], [["c"]])
    assert sequences[0].count(with_bos.bos_token_id) == 1
    assert starts == [3]  # the start token, 'a', 'b'


def test_an_empty_context_leaves_all_of_the_continuation_to_score(bundled, with_bos):
    for tokenizer in (bundled, with_bos):
        sequences, starts = encode_continuations(tokenizer, [""], [["Paris is"]])
        assert starts == [1]
        assert tokenizer.decode(sequences[0][1:]) == "Paris is"


def test_a_continuation_that_adds_no_token_is_refused(bundled):
    with pytest.raises(ValueError, match="adds no token"):
        encode_continuations(bundled, ["a"], [[""]])
