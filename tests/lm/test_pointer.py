"""The pointer: one pass over a text and its items; what is kept of it is a difference of low rank."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from lm import ModelNotFound
from lm.pointer import Item, Pointer, load_pointer, read_by_all, read_in_orders
from lm.pointer_network import MOST_TOKENS, batch_of, lay_out
from lm.pointer_weights import average_pointers, cut_down, new_network, put_in, save_pointer

NAMES = {"classes": ("a", "b", "c"), "marks": ("m",), "slots": ("s", "t"), "kinds": ("k", "l")}
ASKED = [
    ("Does the drug lower blood pressure?", [Item("drug"), Item("sbp", ("high", "low")), Item("age")]),
    ("a dog", [Item("x"), Item("y")]),
    ("What " * 300, [Item(f"column number {n} of a wide file") for n in range(60)]),
    ("nothing to choose from", []),
]


@pytest.fixture(scope="module")
def tuned():
    """A network some way off the bundled encoder."""
    torch.manual_seed(0)
    network, form = new_network(NAMES)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "embeddings" not in name:
                weight.add_(torch.randn_like(weight), alpha=0.02)
    return network.eval(), form


@pytest.fixture(scope="module")
def kept_whole(tuned, tmp_path_factory):
    """The folder of all that the network differs in, at full rank."""
    save_pointer(tuned[0], NAMES, 384, folder := tmp_path_factory.mktemp("whole"))
    return folder


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
        for kind in NAMES["kinds"]:
            assert np.allclose(one.kinds[kind], alone.kinds[kind], atol=1e-4)
        assert [len(held) for held in one.options] == [len(item.options) for item in asked[1]]
        for ours, theirs in zip(one.options, alone.options, strict=True):
            assert np.allclose(ours, theirs, atol=1e-4)
            assert not len(ours) or np.exp(ours).sum() == pytest.approx(1.0, abs=1e-5)
        (ours,), (theirs,) = one.links, alone.links
        assert ours.log_probs.shape == (len(ours.offsets), len(asked[1]) + 1)
        assert np.allclose(ours.log_probs, theirs.log_probs, atol=1e-4)
        assert np.exp(ours.log_probs).sum(1) == pytest.approx(1.0, abs=1e-5)
        assert np.exp(list(one.classes.values())).sum() == pytest.approx(1.0, abs=1e-5)
    assert pointer.read([]) == []


def test_an_item_is_seen_in_the_light_of_the_text_and_of_the_others(tuned):
    pointer = Pointer(*tuned, NAMES)
    first, other_text, other_items = pointer.read(
        [
            ("does x change y", [Item("x"), Item("y")]),
            ("does y change x", [Item("x"), Item("y")]),
            ("does x change y", [Item("x"), Item("z")]),
        ]
    )
    assert not np.isclose(first.slots["s"][0], other_text.slots["s"][0], atol=1e-3)
    assert not np.isclose(first.slots["s"][0], other_items.slots["s"][0], atol=1e-3)


def test_the_longest_row_fits_and_no_item_is_lost(tuned):
    _, form = tuned
    row = lay_out(form, *ASKED[2])
    assert len(row.tokens) <= MOST_TOKENS
    assert len(row.items) == 60
    assert all(end > start for start, end in row.items)
    crowded = lay_out(form, "What " * 300, [Item("a name", ("yes", "no"))] * 400)
    assert len(crowded.tokens) <= MOST_TOKENS
    assert len(crowded.items) < 400
    assert crowded.options == []


def test_in_several_orders_an_item_counts_the_same_wherever_it_stands(tuned):
    """The mean over orders is that of what is read from items in these orders, put back; shares still add up to one."""
    pointer = Pointer(*tuned, NAMES)
    text, items = ASKED[0]
    orders = [[0, 1, 2], [2, 1, 0], list(np.random.default_rng(2).permutation(3))]
    apart = pointer.read([(text, [items[place] for place in order]) for order in orders])
    (mean, _, _, nothing) = read_in_orders(pointer, [ASKED[0], ASKED[1], ASKED[2], ASKED[3]], 3)
    links = []
    for item in range(3):
        places = [order.index(item) for order in orders]
        expected = np.mean([one.slots["s"][place] for one, place in zip(apart, places, strict=True)])
        assert mean.slots["s"][item] == pytest.approx(expected, abs=1e-4)
        links.append(
            np.mean([one.links[0].log_probs[:, place] for one, place in zip(apart, places, strict=True)], axis=0)
        )
    shares = np.exp(np.stack([*links, np.mean([one.links[0].log_probs[:, -1] for one in apart], axis=0)], axis=1))
    assert np.exp(mean.links[0].log_probs) == pytest.approx(shares / shares.sum(1, keepdims=True), abs=1e-4)
    assert np.exp(list(mean.classes.values())).sum() == pytest.approx(1.0)
    assert np.exp(mean.options[1]).sum() == pytest.approx(1.0)
    assert sum(np.exp(held) for held in mean.kinds.values()) == pytest.approx(1.0)
    assert nothing.slots["s"].shape == (0,)
    (alone,) = read_in_orders(pointer, ASKED[:1], 1)
    assert np.allclose(alone.links[0].log_probs, pointer.read(ASKED[:1])[0].links[0].log_probs, atol=1e-5)


def test_options_are_part_of_their_item_and_go_first_where_room_is_scarce(tuned):
    _, form = tuned
    row = lay_out(form, *ASKED[0])
    start, end = row.items[1]
    assert form.tokenizer.convert_ids_to_tokens(row.tokens[start:end]) == ["sb", "##p", ":", "high", ",", "low"]
    words = [form.tokenizer.convert_ids_to_tokens(row.tokens[first:last]) for _, first, last in row.options]
    assert words == [["high"], ["low"]]
    assert {item for item, _, _ in row.options} == {1}
    scarce = lay_out(form, "which", [Item("a name", ("an option", "another option"))] * 80)
    assert len(scarce.items) == 80
    assert [of for of, _, _ in scarce.options] == list(range(80))  # the first of each


def test_a_long_text_keeps_its_end_and_items_stay_apart(tuned):
    _, form = tuned
    text = "We have seen much. " * 200 + "Does dose matter?"
    row = lay_out(form, text, [Item("a long name that ends in " + str(number)) for number in range(60)])
    assert len(row.tokens) <= MOST_TOKENS
    assert form.tokenizer.decode(row.tokens[: row.text_tokens]).endswith("does dose matter? [SEP]")
    assert [text[start:end] for start, end in row.offsets][-4:] == ["Does", "dose", "matter", "?"]
    assert len({tuple(row.tokens[start:end]) for start, end in row.items}) == 60


def test_several_pointers_count_alike_and_each_has_its_own_links(tuned):
    network, form = tuned
    plain, _ = new_network(NAMES)
    pointers = [Pointer(one, form, NAMES) for one in (network, plain.eval())]
    first, second = (read_in_orders(one, ASKED[:1], orders)[0] for one, orders in zip(pointers, (2, 1), strict=True))
    (both,) = read_by_all(pointers, ASKED[:1], (2, 1))
    assert np.allclose(both.slots["t"], (first.slots["t"] + second.slots["t"]) / 2, atol=1e-5)
    shares = np.exp((first.options[1] + second.options[1]) / 2)
    assert np.exp(both.options[1]) == pytest.approx(shares / shares.sum(), abs=1e-5)
    for link, one in zip(both.links, (first, second), strict=True):
        assert np.allclose(link.log_probs, one.links[0].log_probs)


def test_items_without_room_cannot_be_chosen(tuned):
    (found,) = Pointer(*tuned, NAMES).read([("What " * 300, [Item("a name", ("yes", "no"))] * 400)])
    assert np.isneginf(found.slots["s"][-1])
    assert np.isneginf(found.kinds["k"][-1])
    assert np.isneginf(found.links[0].log_probs[:, -2]).all()
    assert len(found.options[-1]) == 0
    assert np.isfinite(found.slots["s"][0])


def test_means_are_over_the_tokens_of_an_item_alone(tuned):
    """The pooled vector of an item is the mean of the encoder's own vectors at its tokens."""
    network, form = tuned
    row = lay_out(form, *ASKED[0])
    batch = batch_of([row, lay_out(form, *ASKED[1])])
    with torch.inference_mode():
        hidden = network.encoder(
            input_ids=torch.tensor([row.tokens]),
            token_type_ids=torch.tensor([[0] * row.text_tokens + [1] * (len(row.tokens) - row.text_tokens)]),
        ).last_hidden_state[0]
        start, end = row.items[1]
        expected = network.slot(hidden[start:end].mean(0))
        assert torch.allclose(network(batch).slots[0, 1], expected, atol=1e-4)
        assert torch.allclose(network(batch).classes[0], network.of_text(hidden[: row.text_tokens].mean(0)), atol=1e-4)


def test_at_full_rank_nothing_but_rounding_is_lost(tuned, kept_whole):
    before, after = Pointer(*tuned, NAMES).read(ASKED), load_pointer(kept_whole).read(ASKED)
    for one, other in zip(before, after, strict=True):
        assert list(one.classes.values()) == pytest.approx(list(other.classes.values()), abs=0.05)


def test_what_is_cut_down_is_kept_whole(tuned, tmp_path):
    """After a cut to a rank, keeping at that rank loses only bfloat16's rounding; without the cut it loses much."""
    network, form = tuned
    state = {name: weight.clone() for name, weight in network.state_dict().items()}
    try:
        whole = Pointer(network, form, NAMES).read(ASKED[:1])[0]
        save_pointer(network, NAMES, 4, tmp_path / "lost")
        lost = load_pointer(tmp_path / "lost").read(ASKED[:1])[0]
        cut_down(network, 4)
        cut = Pointer(network, form, NAMES).read(ASKED[:1])[0]
        save_pointer(network, NAMES, 4, tmp_path / "kept")
        kept = load_pointer(tmp_path / "kept").read(ASKED[:1])[0]
    finally:
        network.load_state_dict(state)
    assert np.allclose(kept.slots["s"], cut.slots["s"], atol=0.05)
    assert np.allclose(kept.slots["s"], lost.slots["s"], atol=0.05)
    assert not np.allclose(kept.slots["s"], whole.slots["s"], atol=0.05)
    assert (tmp_path / "kept" / "pointer.safetensors").stat().st_size < 1.5e6


def test_a_mean_of_pointers_has_the_mean_of_their_weights(tuned, kept_whole, tmp_path):
    network, _ = tuned
    plain, _ = new_network(NAMES)
    with torch.no_grad():
        plain.slot.weight.fill_(1.0)
        plain.slot.bias.fill_(-2.0)
    save_pointer(plain, NAMES, 4, tmp_path / "plain")
    average_pointers([tmp_path / "plain", kept_whole, kept_whole], 384, tmp_path / "mean")
    mean, _ = new_network(NAMES)
    put_in(mean, tmp_path / "mean")
    assert torch.allclose(mean.slot.bias, (2 * network.slot.bias - 2) / 3, atol=0.01)
    part = "encoder.encoder.layer.0.attention.self.query.weight"
    was, tuned_one, now = (held.state_dict()[part] for held in (new_network(NAMES)[0], network, mean))
    assert torch.allclose(now - was, 2 / 3 * (tuned_one - was), atol=0.01)
    assert (tuned_one - was).abs().max() > 0.05


def test_pointers_that_do_not_say_the_same_have_no_mean(tuned, tmp_path):
    network, _ = tuned
    save_pointer(network, NAMES, 4, tmp_path / "one")
    other = {**NAMES, "marks": ("another",)}
    save_pointer(new_network(other)[0], other, 4, tmp_path / "two")
    with pytest.raises(ValueError, match="of the same encoder"):
        average_pointers([tmp_path / "one", tmp_path / "two"], 4, tmp_path / "mean")
    with pytest.raises(ValueError, match="needs pointers"):
        average_pointers([], 4, tmp_path / "mean")


def test_a_folder_without_a_pointer_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match=r"pointer\.json is missing"):
        load_pointer(tmp_path)


def test_folders_that_hold_the_same_share_one_pointer_and_a_changed_one_is_read_anew(tuned, tmp_path):
    network, _ = tuned
    save_pointer(network, NAMES, 4, tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    one = load_pointer(tmp_path / "one")
    assert load_pointer(tmp_path / "other") is one
    shutil.rmtree(tmp_path / "other")
    save_pointer(network, NAMES, 2, tmp_path / "other")
    assert load_pointer(tmp_path / "other") is not one
    assert load_pointer(tmp_path / "one") is one
