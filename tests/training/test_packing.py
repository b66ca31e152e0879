"""Packing by shared beginnings: the same loss and gradients as separate rows, fewer tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lm import load_language_model
from training.packing import WORTH_SHARING, Example, TokenRow, collated, features, packed, tokenised, visible

TINY = load_language_model("tiny", device="cpu")
SYSTEM = {"role": "system", "content": "Read the causal question."}
COLUMNS = ", ".join(f"column_{i}" for i in range(12))


def _example(question: str, completion: str, columns: str = COLUMNS) -> Example:
    return Example((SYSTEM, {"role": "user", "content": f"Columns: {columns}\nQuestion: {question}"}), completion)


def _loss(rows) -> torch.Tensor:
    """Summed negative log-probability of what counts, as the trainer has it."""
    batch = collated([features(pack) for pack in rows])
    output = TINY.model(
        input_ids=batch["input_ids"], position_ids=batch["position_ids"], attention_mask=visible(batch["branch"])
    )
    targets = batch["labels"][:, 1:]
    logits = output.logits[:, :-1]
    return torch.nn.functional.cross_entropy(logits[targets != -100], targets[targets != -100], reduction="sum")


def test_a_pack_has_the_loss_and_gradients_of_its_rows_apart():
    examples = [_example(f"Does {i} act on {i + 1}?", f"effect: column_{i} on column_{i + 1}.") for i in range(4)]
    examples.append(_example("Hello?", "none.", columns="another, header"))
    rows = [tokenised(TINY, example) for example in examples]
    together, apart = packed(rows, 4, 2048), packed(rows, 1, 2048)
    assert [len(pack.branches) for pack in together] == [4, 1]
    assert sum(map(len, together)) < 0.7 * sum(map(len, apart))
    weights = [p for p in TINY.model.parameters() if p.requires_grad]
    first, second = _loss(together), _loss(apart)
    assert first.item() == pytest.approx(second.item(), rel=1e-5)
    for ours, theirs in zip(torch.autograd.grad(first, weights), torch.autograd.grad(second, weights), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_the_completion_and_the_end_of_text_count():
    messages = ({"role": "user", "content": "Why?"},)
    row = tokenised(TINY, Example(messages, "Because — so."))
    assert TINY.tokenizer.decode(row.tokens[row.completion :]) == "Because — so.<|im_end|>"
    assert TINY.tokenizer.decode(row.tokens) == TINY.chat_text(messages) + "Because — so.<|im_end|>"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.lists(st.integers(0, 3), min_size=2, max_size=9), st.integers(1, 8)),
        max_size=12,
    ),
    st.integers(1, 5),
    st.integers(60, 200),
)
def test_every_row_comes_back_from_its_pack_in_order(drawn, most_rows, most_tokens):
    """Rows of three different long beginnings, and of ends that agree by chance."""
    rows = [TokenRow((*[90 + kind] * (WORTH_SHARING + 4), *end), WORTH_SHARING + 4 + min(cut, len(end) - 1))
            for kind, end, cut in drawn]  # fmt: skip
    packs = packed(rows, most_rows, most_tokens)
    back = [
        TokenRow(pack.beginning + tokens, len(pack.beginning) + prompt)
        for pack in packs
        for tokens, prompt in pack.branches
    ]
    assert back == rows
    assert all(len(pack.branches) <= most_rows and len(pack) <= most_tokens for pack in packs)
    assert all(prompt >= 1 for pack in packs for _, prompt in pack.branches)
    assert all(len(pack.branches) == 1 or len(pack.beginning) >= WORTH_SHARING for pack in packs)


def test_a_row_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="most_tokens=10; it would be cut off"):
        packed([TokenRow(tuple(range(11)), 4)], 2, 10)
    assert packed([], 2, 10) == []
