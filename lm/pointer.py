"""Of which class a text is, and which items it speaks of, in which role and words: one pass of a small encoder.

The encoder is the bundled sentence encoder, tuned; what comes with the project is the difference to it, of low rank, and the
heads. Text and items are read together, so every item is seen in the light of the whole text and of the other items.

Source: Vinyals et al. (2015), "Pointer networks", for choosing among the input's own parts; Hu et al. (2022), "LoRA", for the
form in which the difference is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lm.errors import ModelNotFound
from lm.sentences import encoder_folder

SHIPPED_POINTER = Path(__file__).parent / "second_reader"
NOTE, WEIGHTS = "pointer.json", "pointer.safetensors"
BESIDE = "second_reader"  # folder of a pointer inside that of the adapter it belongs to
HEADS = ("classes", "marks", "slots", "kinds")
AT_ONCE = 16  # rows of one pass
SPARE_RANK = 16  # more than asked for, by which the greatest parts are found exactly enough


@dataclass(frozen=True)
class Item:
    """One of the things that a text may speak of.

    Attributes:
        name: in words.
        options: what it may be, in words.
    """

    name: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pointed:
    """What is read from one text and its items; all logarithms are natural.

    Attributes:
        classes: log-probability by class.
        marks: by mark, the log-odds that it holds.
        slots: by slot, (items,) log-odds of each item, in their order; of an item that had no room −inf.
        kinds: by kind, (items,) log-probability that an item is meant in this way.
        options: by item, (options,) log-probability of each; empty of an item whose options had no room.
        links: (tokens of the text, items + 1) log-probability that a token speaks of an item; of none in the last place.
        offsets: where each of these tokens stands in the text, in characters.
    """

    classes: Mapping[str, float]
    marks: Mapping[str, float]
    slots: Mapping[str, np.ndarray]
    kinds: Mapping[str, np.ndarray]
    options: Sequence[np.ndarray]
    links: np.ndarray
    offsets: Sequence[tuple[int, int]]


class Pointer:
    """Reads texts with their items; safe to use from several threads."""

    def __init__(self, network: Any, tokenizer: Any, names: Mapping[str, Sequence[str]]) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._names = names
        self._turn = threading.Lock()  # a fast tokenizer pads for one caller at a time

    def read(self, asked: Sequence[tuple[str, Sequence[Item]]]) -> list[Pointed]:
        """What is read from each text and its items; the same alone and among others, but for the last digits."""
        import torch

        from lm.pointer_network import batch_of, lay_out

        found: dict[int, Pointed] = {}
        with self._turn, torch.inference_mode():
            rows = [lay_out(self._tokenizer, text, items) for text, items in asked]
            order = sorted(range(len(rows)), key=lambda number: len(rows[number].tokens))  # little padding
            for start in range(0, len(order), AT_ONCE):
                part = order[start : start + AT_ONCE]
                logits = self._network(batch_of([rows[number] for number in part]))
                for place, number in enumerate(part):
                    own = type(logits)(*(held[place] for held in logits))
                    found[number] = self._pointed(own, rows[number], len(asked[number][1]))
        return [found[number] for number in range(len(asked))]

    def _pointed(self, logits: Any, row: Any, items: int) -> Pointed:
        there = len(row.items)
        fits, kinds = (np.full((items, held.shape[-1]), -np.inf) for held in (logits.slots, logits.kinds))
        fits[:there] = logits.slots[:there].numpy()
        kinds[:there] = logits.kinds[:there].log_softmax(-1).numpy()
        links = np.full((len(row.offsets), items + 1), -np.inf)
        shares = logits.links[1 : len(row.offsets) + 1].log_softmax(-1).numpy()
        links[:, -1], links[:, :there] = shares[:, 0], shares[:, 1 : there + 1]
        options: list[np.ndarray] = [np.empty(0)] * items
        for item in {item for item, _, _ in row.options}:
            own = [place for place, (of, _, _) in enumerate(row.options) if of == item]
            options[item] = logits.options[own].log_softmax(-1).numpy()
        return Pointed(
            dict(zip(self._names["classes"], logits.classes.log_softmax(-1).tolist(), strict=True)),
            dict(zip(self._names["marks"], logits.marks.tolist(), strict=True)),
            {name: fits[:, number] for number, name in enumerate(self._names["slots"])},
            {name: kinds[:, number] for number, name in enumerate(self._names["kinds"])},
            options,
            links,
            row.offsets,
        )


def read_in_orders(pointer: Pointer, asked: Sequence[tuple[str, Sequence[Item]]], orders: int) -> list[Pointed]:
    """What is read on (geometric) average over some orders of the items: as they are, backwards, and shuffled.

    Which of several items is chosen should not depend on their order, but it does a little; the mean errs less.
    """
    shuffles = [[_order(len(items), number) for _, items in asked] for number in range(orders)]
    rows = [
        (text, [items[place] for place in order])
        for own in shuffles
        for (text, items), order in zip(asked, own, strict=True)
    ]
    found = pointer.read(rows)
    return [
        _mean([_put_back(found[number * len(asked) + one], shuffles[number][one]) for number in range(orders)])
        for one in range(len(asked))
    ]


def _order(items: int, number: int) -> np.ndarray:
    places = np.arange(items)
    if number < 2:
        return places[::-1] if number else places
    return np.random.default_rng(number).permutation(items)


def _put_back(found: Pointed, order: np.ndarray) -> Pointed:
    """What was read from items in an order, in their own."""
    own = np.argsort(order)
    return replace(
        found,
        slots={name: held[own] for name, held in found.slots.items()},
        kinds={name: held[own] for name, held in found.kinds.items()},
        options=[found.options[place] for place in own],
        links=found.links[:, [*own, len(own)]],
    )


def _mean(found: Sequence[Pointed]) -> Pointed:
    first = found[0]
    if len(found) == 1:
        return first
    classes = _shares(np.mean([list(one.classes.values()) for one in found], axis=0))
    kinds = _shares(np.mean([np.array(list(one.kinds.values())) for one in found], axis=0), axis=0)
    options = [
        _shares(np.mean(own, axis=0)) if len({len(one) for one in own}) == 1 else own[0][:0]
        for own in zip(*(one.options for one in found), strict=True)
    ]
    return Pointed(
        dict(zip(first.classes, classes.tolist(), strict=True)),
        {name: float(np.mean([one.marks[name] for one in found])) for name in first.marks},
        {name: np.mean([one.slots[name] for one in found], axis=0) for name in first.slots},
        dict(zip(first.kinds, kinds, strict=True)),
        options,
        _shares(np.mean([one.links for one in found], axis=0)),
        first.offsets,
    )


def _shares(log_probs: np.ndarray, axis: int = -1) -> np.ndarray:
    """Log-probabilities that add up to one along an axis, where anything there is possible."""
    if not log_probs.size:
        return log_probs
    whole = np.logaddexp.reduce(log_probs, axis=axis, keepdims=True)
    return np.where(np.isneginf(whole), -np.inf, log_probs - np.where(np.isneginf(whole), 0.0, whole))


def pointer_beside(adapter: Path | None) -> Path:
    """Folder of the pointer that belongs to an adapter: the one inside its folder, else the one that comes with the project."""
    own = adapter / BESIDE if adapter is not None else None
    return own if own is not None and (own / NOTE).exists() else SHIPPED_POINTER


@cache
def load_pointer(folder: Path = SHIPPED_POINTER) -> Pointer:
    """The pointer of a folder, loaded once a process.

    Raises:
        ModelNotFound: the folder holds none, or the encoder's package is not installed.
    """
    if not (folder / NOTE).exists():
        raise ModelNotFound(f"{folder} holds no pointer: {NOTE} is missing")
    names: dict[str, list[str]] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    network, tokenizer = new_network(names)
    put_in(network, folder)
    return Pointer(network.eval(), tokenizer, names)


def new_network(names: Mapping[str, Sequence[str]]) -> tuple[Any, Any]:
    """The network with the bundled encoder as it is and heads that know nothing, and the encoder's tokenizer."""
    from transformers import AutoTokenizer

    from lm.pointer_network import PointerNetwork

    sizes = {kind: len(names[kind]) for kind in HEADS}
    return PointerNetwork(_encoder(), **sizes), AutoTokenizer.from_pretrained(encoder_folder())


def _encoder() -> Any:
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    level = logging.get_verbosity()
    logging.set_verbosity_error()  # the pooler of the sentence encoder is left out, and that would be reported
    try:
        return AutoModel.from_pretrained(encoder_folder(), add_pooling_layer=False)
    finally:
        logging.set_verbosity(level)


def save_pointer(network: Any, names: Mapping[str, Sequence[str]], rank: int, folder: Path) -> None:
    """Keep a tuned network as its difference to the bundled encoder, in bfloat16: of each matrix two factors of this rank."""
    import torch
    from safetensors.torch import save_file

    kept = {name: weight for name, weight in network.state_dict().items() if not name.startswith("encoder.")}
    for name, difference in _differences(network).items():
        if difference.dim() == 2:
            kept[f"{name}.up"], kept[f"{name}.down"] = _factors(difference, rank)
        else:
            kept[name] = difference
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.to(torch.bfloat16).contiguous() for name, weight in kept.items()}, folder / WEIGHTS)
    (folder / NOTE).write_text(json.dumps({kind: list(names[kind]) for kind in names}, indent=1), encoding="utf-8")


def average_pointers(folders: Sequence[Path], rank: int, folder: Path) -> None:
    """Keep the mean of the weights of several pointers. Where all were tuned on from one, by other orders of the same texts, it
    reads better than each (Wortsman et al. 2022, "Model soups").

    Raises:
        ValueError: no pointers, or pointers that do not say the same.
    """
    notes = [json.loads((one / NOTE).read_text(encoding="utf-8")) for one in folders]
    if not notes or any(note != notes[0] for note in notes):
        raise ValueError("average_pointers needs pointers of the same classes, marks, slots and kinds")
    mean, _ = new_network(notes[0])
    put_in(mean, folders[0])
    weights = mean.state_dict()
    for number, one in enumerate(folders[1:], start=2):
        other, _ = new_network(notes[0])
        put_in(other, one)
        for name, weight in other.state_dict().items():
            if weight.is_floating_point():
                weights[name].lerp_(weight, 1 / number)
    save_pointer(mean, notes[0], rank, folder)


def cut_down(network: Any, rank: int) -> None:
    """Leave of the difference to the bundled encoder, matrix by matrix, what :func:`save_pointer` would keep."""
    weights = network.state_dict()
    for name, difference in _differences(network).items():
        if difference.dim() == 2:
            up, down = _factors(difference, rank)
            weights[name].add_(up @ down - difference)


def _differences(network: Any) -> dict[str, Any]:
    """What of the encoder is not as it was."""
    old = _encoder().state_dict()
    now = network.encoder.state_dict()
    return {f"encoder.{name}": now[name] - was for name, was in old.items() if not now[name].equal(was)}


def _factors(difference: Any, rank: int) -> tuple[Any, Any]:
    """(rows, rank) and (rank, columns), whose product is nearest to a matrix."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)  # the method is randomised (Halko et al. 2011); what comes of it should not be
        left, values, right = torch.svd_lowrank(difference.float(), min(rank + SPARE_RANK, *difference.shape), niter=4)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, (right[:, :rank] * root).T


def put_in(network: Any, folder: Path) -> None:
    """Add to a new network what :func:`save_pointer` kept in a folder; heads that it does not have stay as they are."""
    from safetensors.torch import load_file

    kept = {name: weight.float() for name, weight in load_file(folder / WEIGHTS).items()}
    weights = network.state_dict()  # these share memory with the network
    for name, weight in kept.items():
        if name.endswith(".up"):
            whole = name.removesuffix(".up")
            weights[whole].add_(weight @ kept[f"{whole}.down"])
        elif name.startswith("encoder.") and not name.endswith(".down"):
            weights[name].add_(weight)
        elif not name.startswith("encoder."):
            weights[name].copy_(weight)
