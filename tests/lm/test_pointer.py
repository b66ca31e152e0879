"""The pointer: one pass over a text and its items; what is kept of it is a difference of low rank."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lm import ModelNotFound
from lm.pointer import Pointer, cut_down, load_pointer, new_network, save_pointer
from lm.pointer_network import MOST_TOKENS, batch_of, lay_out

NAMES = {"classes": ("a", "b", "c"), "marks": ("m",), "slots": ("s", "t")}
ASKED = [
    ("Does the drug lower blood pressure?", ["drug", "sbp : high , low", "age"]),
    ("a dog", ["x", "y"]),
    ("What " * 300, [f"column number {n} of a wide file" for n in range(60)]),
    ("nothing to choose from", []),
]


@pytest.fixture(scope="module")
def tuned():
    """A network some way off the bundled encoder."""
    torch.manual_seed(0)
    network, tokenizer = new_network(3, 1, 2)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "embeddings" not in name:
                weight.add_(torch.randn_like(weight), alpha=0.02)
    return network.eval(), tokenizer


def test_what_is_read_does_not_depend_on_company(tuned):
    pointer = Pointer(*tuned, NAMES)
    together = pointer.read(ASKED)
    for one, asked in zip(together, ASKED, strict=True):
        (alone,) = pointer.read([asked])
        assert list(one.classes.values()) == pytest.approx(list(alone.classes.values()), abs=1e-4)
        assert one.marks["m"] == pytest.approx(alone.marks["m"], abs=1e-4)
        for slot in NAMES["slots"]:
            assert one.slots[slot].shape == (len(asked[1]),)
            assert np.allclose(one.slots[slot], alone.slots[slot], atol=1e-4)
        assert np.exp(list(one.classes.values())).sum() == pytest.approx(1.0, abs=1e-5)
    assert pointer.read([]) == []


def test_an_item_is_seen_in_the_light_of_the_text_and_of_the_others(tuned):
    pointer = Pointer(*tuned, NAMES)
    first, other_text, other_items = pointer.read(
        [("does x change y", ["x", "y"]), ("does y change x", ["x", "y"]), ("does x change y", ["x", "z"])]
    )
    assert not np.isclose(first.slots["s"][0], other_text.slots["s"][0], atol=1e-3)
    assert not np.isclose(first.slots["s"][0], other_items.slots["s"][0], atol=1e-3)


def test_the_longest_row_fits_and_no_item_is_lost(tuned):
    _, tokenizer = tuned
    row = lay_out(tokenizer, *ASKED[2])
    assert len(row.tokens) <= MOST_TOKENS
    assert len(row.items) == 60
    assert all(end > start for start, end in row.items)
    crowded = lay_out(tokenizer, "What " * 300, ["a name"] * 400)
    assert len(crowded.tokens) <= MOST_TOKENS
    assert len(crowded.items) < 400


def test_items_without_room_cannot_be_chosen(tuned):
    (found,) = Pointer(*tuned, NAMES).read([("What " * 300, ["a name"] * 400)])
    assert np.isneginf(found.slots["s"][-1])
    assert np.isfinite(found.slots["s"][0])


def test_means_are_over_the_tokens_of_an_item_alone(tuned):
    """The pooled vector of an item is the mean of the encoder's own vectors at its tokens."""
    network, tokenizer = tuned
    row = lay_out(tokenizer, *ASKED[0])
    batch = batch_of([row, lay_out(tokenizer, *ASKED[1])])
    with torch.inference_mode():
        hidden = network.encoder(
            input_ids=torch.tensor([row.tokens]),
            token_type_ids=torch.tensor([[0] * row.text_tokens + [1] * (len(row.tokens) - row.text_tokens)]),
        ).last_hidden_state[0]
        start, end = row.items[1]
        expected = network.slot(hidden[start:end].mean(0))
        assert torch.allclose(network(batch)[2][0, 1], expected, atol=1e-4)
        assert torch.allclose(network(batch)[0][0], network.of_text(hidden[: row.text_tokens].mean(0)), atol=1e-4)


def test_at_full_rank_nothing_but_rounding_is_lost(tuned, tmp_path):
    network, tokenizer = tuned
    save_pointer(network, NAMES, 384, tmp_path / "full")
    before, after = Pointer(network, tokenizer, NAMES).read(ASKED), load_pointer(tmp_path / "full").read(ASKED)
    for one, other in zip(before, after, strict=True):
        assert list(one.classes.values()) == pytest.approx(list(other.classes.values()), abs=0.05)


def test_what_is_cut_down_is_kept_whole(tuned, tmp_path):
    """After a cut to a rank, keeping at that rank loses only bfloat16's rounding; without the cut it loses much."""
    network, tokenizer = tuned
    state = {name: weight.clone() for name, weight in network.state_dict().items()}
    try:
        whole = Pointer(network, tokenizer, NAMES).read(ASKED[:1])[0]
        save_pointer(network, NAMES, 4, tmp_path / "lost")
        lost = load_pointer(tmp_path / "lost").read(ASKED[:1])[0]
        cut_down(network, 4)
        cut = Pointer(network, tokenizer, NAMES).read(ASKED[:1])[0]
        save_pointer(network, NAMES, 4, tmp_path / "kept")
        kept = load_pointer(tmp_path / "kept").read(ASKED[:1])[0]
    finally:
        network.load_state_dict(state)
    assert np.allclose(kept.slots["s"], cut.slots["s"], atol=0.05)
    assert np.allclose(kept.slots["s"], lost.slots["s"], atol=0.05)
    assert not np.allclose(kept.slots["s"], whole.slots["s"], atol=0.05)
    assert (tmp_path / "kept" / "pointer.safetensors").stat().st_size < 1.5e6


def test_a_folder_without_a_pointer_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match=r"pointer\.json is missing"):
        load_pointer(tmp_path)
