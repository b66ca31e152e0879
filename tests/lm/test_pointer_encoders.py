"""The language model as an encoder: its layers are those of the model, and above the masked ones all tokens see each other."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModel

from lm.bundled import bundled_directory
from lm.pointer import Item, Pointer
from lm.pointer_encoders import DECODER_LAYERS, MASKED_LAYERS, UnmaskedDecoder, bundled_encoder, row_tokens
from lm.pointer_network import lay_out
from lm.pointer_weights import new_network, put_in, save_pointer
from lm.registry import shipped_adapter

NAMES = {"classes": ("a", "b"), "marks": ("m",), "slots": ("s", "t"), "kinds": ("k",)}
TEXT = torch.tensor([[1, 400, 5000, 70, 9, 31], [1, 77, 6000, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])


def _whole():
    return AutoModel.from_pretrained(bundled_directory(), dtype=torch.float32, attn_implementation="eager").eval()


def test_with_all_masks_on_it_is_the_model_itself():
    model = _whole()
    with torch.inference_mode():
        theirs = model(input_ids=TEXT, attention_mask=MASK).last_hidden_state
        ours = UnmaskedDecoder(model, layers=30, masked=30)(TEXT, MASK).last_hidden_state
    there = MASK.bool()
    assert torch.allclose(ours[there], theirs[there], atol=1e-3, rtol=1e-4)


def test_without_the_mask_a_token_sees_those_behind_it_and_never_padding():
    encoder = bundled_encoder("language model").eval()
    assert len(encoder.model.layers) == DECODER_LAYERS
    other, padded = TEXT.clone(), TEXT.clone()
    other[0, -1], padded[1, 3:] = 1234, 99
    with torch.inference_mode():
        first, second, third = (encoder(one, MASK).last_hidden_state for one in (TEXT, other, padded))
        encoder.masked = DECODER_LAYERS
        blind, blinder = (encoder(one, MASK).last_hidden_state for one in (TEXT, other))
        encoder.masked = MASKED_LAYERS
    assert not torch.allclose(first[0, 1], second[0, 1], atol=1e-2)
    assert torch.allclose(blind[0, 1], blinder[0, 1], atol=1e-4)
    assert torch.allclose(first[1, :3], third[1, :3], atol=1e-4)


def test_items_are_read_as_within_a_sentence():
    form = row_tokens("language model")
    row = lay_out(form, "Does dose matter?", [Item("dose", ("low", "high")), Item("age")])
    words = form.tokenizer.convert_ids_to_tokens(row.tokens)
    assert words[row.items[0][0] : row.items[0][1]] == ["Ġdose", ":", "Ġlow", ",", "Ġhigh"]
    assert words[row.items[1][0] : row.items[1][1]] == ["Ġage"]
    assert (words[0], words[row.text_tokens - 1], words[-1]) == ("<|im_start|>", "Ċ", "Ċ")
    assert "Does dose matter?"[slice(*row.offsets[1])].strip() == "dose"


def test_it_begins_with_an_adapter_and_is_kept_as_a_difference(tmp_path):
    adapter = shipped_adapter()
    torch.manual_seed(1)  # heads that know nothing are drawn
    network, form = new_network(NAMES, "language model", adapter)
    save_pointer(network, NAMES, 16, tmp_path)
    assert (tmp_path / "pointer.safetensors").stat().st_size < 9e6
    kept, _ = new_network(NAMES, "language model")
    before = Pointer(kept.eval(), form, NAMES).read([("does x change y", [Item("x"), Item("y")])])[0]
    put_in(kept, tmp_path)
    texts = [("does x change y", [Item("x"), Item("y")])]
    ours, theirs = Pointer(network.eval(), form, NAMES).read(texts)[0], Pointer(kept.eval(), form, NAMES).read(texts)[0]
    assert list(theirs.classes.values()) == pytest.approx(list(ours.classes.values()), abs=0.05)
    assert list(theirs.slots["s"]) == pytest.approx(list(ours.slots["s"]), abs=0.2)
    assert list(before.slots["s"]) != pytest.approx(list(ours.slots["s"]), abs=0.2)
