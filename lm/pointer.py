"""Of which class a text is, and which items it speaks of, in which role and words: one pass of an encoder.

The encoder is one of those that are bundled (:mod:`lm.pointer_encoders`), tuned; what comes with the project is the
difference to it, of low rank, and the heads (:mod:`lm.pointer_weights`). Text and items are read together, so every item is
seen in the light of the whole text and of the other items.

Source: Vinyals et al. (2015), "Pointer networks", for choosing among the input's own parts.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lm.errors import ModelNotFound

SHIPPED = Path(__file__).parent
SECOND, THIRD = "second_reader", "third_reader"  # of the sentence encoder, and of the language model
SHIPPED_SECOND, SHIPPED_THIRD = SHIPPED / SECOND, SHIPPED / THIRD
NOTE, WEIGHTS = "pointer.json", "pointer.safetensors"
HEADS = ("classes", "marks", "slots", "kinds")
AT_ONCE = 16  # rows of one pass
KEPT = 6  # pointers in memory: those that ship, and those of a few tuned models


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
class Links:
    """Which item each token of a text speaks of, as one pointer's tokenizer cuts the text.

    Attributes:
        log_probs: (tokens, items + 1) that a token speaks of an item; of none in the last place.
        offsets: where each token stands in the text, in characters.
    """

    log_probs: np.ndarray
    offsets: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Pointed:
    """What is read from one text and its items; all logarithms are natural.

    Attributes:
        classes: log-probability by class.
        marks: by mark, the log-odds that it holds.
        slots: by slot, (items,) log-odds of each item, in their order; of an item that had no room −inf.
        kinds: by kind, (items,) log-probability that an item is meant in this way.
        options: by item, (options,) log-probability of each; empty of an item whose options had no room.
        links: of the words, once for each pointer that has read them.
    """

    classes: Mapping[str, float]
    marks: Mapping[str, float]
    slots: Mapping[str, np.ndarray]
    kinds: Mapping[str, np.ndarray]
    options: Sequence[np.ndarray]
    links: tuple[Links, ...]


class Pointer:
    """Reads texts with their items; safe to use from several threads."""

    def __init__(self, network: Any, form: Any, names: Mapping[str, Sequence[str]]) -> None:
        self._network = network
        self._form = form
        self._names = names
        self._turn = threading.Lock()  # a fast tokenizer pads for one caller at a time

    def read(self, asked: Sequence[tuple[str, Sequence[Item]]]) -> list[Pointed]:
        """What is read from each text and its items; the same alone and among others, but for the last digits."""
        import torch

        from lm.pointer_network import batch_of, lay_out

        found: dict[int, Pointed] = {}
        with self._turn, torch.inference_mode():
            rows = [lay_out(self._form, text, items) for text, items in asked]
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
            (Links(links, row.offsets),),
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
        links=tuple(replace(one, log_probs=one.log_probs[:, [*own, len(own)]]) for one in found.links),
    )


def read_by_all(
    pointers: Sequence[Pointer], asked: Sequence[tuple[str, Sequence[Item]]], orders: Sequence[int]
) -> list[Pointed]:
    """What several pointers read, each in so many orders, on (geometric) average; of links each one's own."""
    read = [read_in_orders(one, asked, number) for one, number in zip(pointers, orders, strict=True)]
    return [
        replace(_mean([replace(one, links=()) for one in own]), links=tuple(link for one in own for link in one.links))
        for own in zip(*read, strict=True)
    ]


def _mean(found: Sequence[Pointed]) -> Pointed:
    first = found[0]
    if len(found) == 1:
        return first
    classes = _shares(np.mean([list(one.classes.values()) for one in found], axis=0))
    kinds = _shares(np.mean([np.array(list(one.kinds.values())) for one in found], axis=0), axis=0)
    options = [
        _shares(np.mean([one[: min(map(len, held))] for one in held], axis=0))  # the first that all have read
        for own in zip(*(one.options for one in found), strict=True)
        for held in [[one for one in own if len(one)] or own]
    ]
    return Pointed(
        dict(zip(first.classes, classes.tolist(), strict=True)),
        {name: float(np.mean([one.marks[name] for one in found])) for name in first.marks},
        {name: np.mean([one.slots[name] for one in found], axis=0) for name in first.slots},
        dict(zip(first.kinds, kinds, strict=True)),
        options,
        tuple(
            replace(link, log_probs=_shares(np.mean([one.links[number].log_probs for one in found], axis=0)))
            for number, link in enumerate(first.links)
        ),
    )


def _shares(log_probs: np.ndarray, axis: int = -1) -> np.ndarray:
    """Log-probabilities that add up to one along an axis, where anything there is possible."""
    if not log_probs.size:
        return log_probs
    whole = np.logaddexp.reduce(log_probs, axis=axis, keepdims=True)
    return np.where(np.isneginf(whole), -np.inf, log_probs - np.where(np.isneginf(whole), 0.0, whole))


def pointers_beside(adapter: Path | None) -> list[Path]:
    """Folders of the pointers that belong to an adapter: those inside its folder, and else those that come with the project."""
    own = [(adapter or SHIPPED) / name for name in (SECOND, THIRD)]
    return [one if (one / NOTE).exists() else SHIPPED / one.name for one in own]


def load_pointer(folder: Path) -> Pointer:
    """The pointer of a folder, loaded once a process; several folders that hold the same share one.

    Raises:
        ModelNotFound: the folder holds none, or the encoder's package is not installed.
    """
    if not (folder / NOTE).exists():
        raise ModelNotFound(f"{folder} holds no pointer: {NOTE} is missing")
    digest = _digest(folder, *((folder / name).stat().st_mtime_ns for name in (NOTE, WEIGHTS)))
    _PLACES[digest] = folder
    return _loaded(digest)


@lru_cache
def _digest(folder: Path, *written_at: int) -> str:
    found = hashlib.sha256()
    for name in (NOTE, WEIGHTS):
        found.update((folder / name).read_bytes())
    return found.hexdigest()


_PLACES: dict[str, Path] = {}  # where what has this digest lies


@lru_cache(maxsize=KEPT)
def _loaded(digest: str) -> Pointer:
    from lm.pointer_weights import network_of

    network, form, names = network_of(_PLACES[digest])
    return Pointer(network.eval(), form, names)
