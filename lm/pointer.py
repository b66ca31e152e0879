"""Of which class a text is, and which of some items it speaks of in which role: one pass of a small encoder over all of it.

The encoder is the bundled sentence encoder, tuned; what comes with the project is the difference to it, of low rank, and the
heads. Text and items are read together, so every item is seen in the light of the whole text and of the other items.

Source: Vinyals et al. (2015), "Pointer networks", for choosing among the input's own parts; Hu et al. (2022), "LoRA", for the
form in which the difference is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lm.errors import ModelNotFound
from lm.sentences import encoder_folder

SHIPPED_POINTER = Path(__file__).parent / "second_reader"
NOTE, WEIGHTS = "pointer.json", "pointer.safetensors"
AT_ONCE = 16  # rows of one pass
SPARE_RANK = 16  # more than asked for, by which the greatest parts are found exactly enough


@dataclass(frozen=True)
class Pointed:
    """What is read from one text and its items.

    Attributes:
        classes: log-probability by class.
        marks: by mark, the log-odds that it holds.
        slots: by slot, (items,) log-odds of each item, in their order; of an item that had no room −inf.
    """

    classes: Mapping[str, float]
    marks: Mapping[str, float]
    slots: Mapping[str, np.ndarray]


class Pointer:
    """Reads texts with their items; safe to use from several threads."""

    def __init__(self, network: Any, tokenizer: Any, names: Mapping[str, Sequence[str]]) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._names = names
        self._turn = threading.Lock()  # a fast tokenizer pads for one caller at a time

    def read(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[Pointed]:
        """What is read from each text and its items; the same alone and among others, but for the last digits."""
        import torch

        from lm.pointer_network import batch_of, lay_out

        found: dict[int, Pointed] = {}
        with self._turn, torch.inference_mode():
            rows = [lay_out(self._tokenizer, text, items) for text, items in asked]
            order = sorted(range(len(rows)), key=lambda number: len(rows[number].tokens))  # little padding
            for start in range(0, len(order), AT_ONCE):
                part = order[start : start + AT_ONCE]
                classes, marks, slots, _ = self._network(batch_of([rows[number] for number in part]))
                classes = classes.log_softmax(-1)
                for place, number in enumerate(part):
                    found[number] = self._pointed(classes[place], marks[place], slots[place], len(asked[number][1]))
        return [found[number] for number in range(len(asked))]

    def _pointed(self, classes: Any, marks: Any, slots: Any, items: int) -> Pointed:
        fits = np.full((items, slots.shape[1]), -np.inf)
        fits[: len(slots)] = slots[:items].numpy()
        return Pointed(
            dict(zip(self._names["classes"], classes.tolist(), strict=True)),
            dict(zip(self._names["marks"], marks.tolist(), strict=True)),
            {name: fits[:, number] for number, name in enumerate(self._names["slots"])},
        )


@cache
def load_pointer(folder: Path = SHIPPED_POINTER) -> Pointer:
    """The pointer of a folder, loaded once a process.

    Raises:
        ModelNotFound: the folder holds none, or the encoder's package is not installed.
    """
    from safetensors.torch import load_file

    if not (folder / NOTE).exists():
        raise ModelNotFound(f"{folder} holds no pointer: {NOTE} is missing")
    names: dict[str, list[str]] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    network, tokenizer = new_network(*(len(names[kind]) for kind in ("classes", "marks", "slots")))
    _put_in(network, {name: weight.float() for name, weight in load_file(folder / WEIGHTS).items()})
    return Pointer(network.eval(), tokenizer, names)


def new_network(classes: int, marks: int, slots: int) -> tuple[Any, Any]:
    """The network with the bundled encoder as it is and heads that know nothing, and the encoder's tokenizer."""
    from transformers import AutoTokenizer

    from lm.pointer_network import PointerNetwork

    return PointerNetwork(_encoder(), classes, marks, slots), AutoTokenizer.from_pretrained(encoder_folder())


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


def _put_in(network: Any, kept: dict[str, Any]) -> None:
    """Add what was kept to a new network."""
    weights = network.state_dict()  # these share memory with the network
    for name, weight in kept.items():
        if name.endswith(".up"):
            whole = name.removesuffix(".up")
            weights[whole].add_(weight @ kept[f"{whole}.down"])
        elif name.startswith("encoder.") and not name.endswith(".down"):
            weights[name].add_(weight)
        elif not name.startswith("encoder."):
            weights[name].copy_(weight)
