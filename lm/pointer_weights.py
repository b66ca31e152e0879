"""What is kept of a tuned pointer: its difference to the bundled encoder, of low rank, and the heads.

Source: Hu et al. (2022), "LoRA", for the form; Wortsman et al. (2022), "Model soups", for means of weights.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from lm.pointer import HEADS, NOTE, WEIGHTS
from lm.pointer_encoders import EncoderKind, RowTokens, bundled_encoder, row_tokens
from lm.pointer_network import PointerNetwork

KIND = "encoder"  # in the note, beside the names
SPARE_RANK = 16  # more than asked for, by which the greatest parts are found exactly enough
NOTHING = 1e-3  # of the greatest part: a smaller one is not kept


def new_network(
    names: Mapping[str, Sequence[str]], kind: EncoderKind = "sentences", adapter: Path | None = None
) -> tuple[PointerNetwork, RowTokens]:
    """The network with a bundled encoder (:func:`lm.pointer_encoders.bundled_encoder`) and heads that know nothing, and how rows
    for it are made."""
    sizes = {head: len(names[head]) for head in HEADS}
    return PointerNetwork(kind, bundled_encoder(kind, adapter), **sizes), row_tokens(kind)


def network_of(folder: Path) -> tuple[PointerNetwork, RowTokens, dict[str, list[str]]]:
    """The network that :func:`save_pointer` kept in a folder, how rows for it are made, and the names of what its heads say."""
    names = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    network, form = new_network(names, names.pop(KIND, "sentences"))
    put_in(network, folder)
    return network, form, names


def save_pointer(network: PointerNetwork, names: Mapping[str, Sequence[str]], rank: int, folder: Path) -> None:
    """Keep a tuned network as its difference to the bundled encoder, in bfloat16: of a matrix two factors of at most this
    rank."""
    kept = {name: weight for name, weight in network.state_dict().items() if not name.startswith("encoder.")}
    for name, difference in _differences(network).items():
        if difference.dim() == 2:
            kept[f"{name}.up"], kept[f"{name}.down"] = _factors(difference, rank)
        else:
            kept[name] = difference
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.to(torch.bfloat16).contiguous() for name, weight in kept.items()}, folder / WEIGHTS)
    note = {KIND: network.made_of, **{head: list(names[head]) for head in HEADS}}
    (folder / NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")


def average_pointers(folders: Sequence[Path], rank: int, folder: Path) -> None:
    """Keep the mean of the weights of several pointers. Where all were tuned on from one, by other orders of the same texts, it
    reads better than each.

    Raises:
        ValueError: no pointers, or pointers that do not say the same.
    """
    notes = [json.loads((one / NOTE).read_text(encoding="utf-8")) for one in folders]
    if not notes or any(note != notes[0] for note in notes):
        raise ValueError("average_pointers needs pointers of the same encoder, classes, marks, slots and kinds")
    mean, _, names = network_of(folders[0])
    weights = mean.state_dict()
    for number, one in enumerate(folders[1:], start=2):
        other, _, _ = network_of(one)
        for name, weight in other.state_dict().items():
            if weight.is_floating_point():
                weights[name].lerp_(weight, 1 / number)
    save_pointer(mean, names, rank, folder)


def cut_down(network: PointerNetwork, rank: int) -> None:
    """Leave of the difference to the bundled encoder, matrix by matrix, what :func:`save_pointer` would keep; where it is
    tuned."""
    weights = network.state_dict()
    tuned = {name for name, weight in network.named_parameters() if weight.requires_grad}
    for name, difference in _differences(network, tuned).items():
        if difference.dim() == 2:
            up, down = _factors(difference, rank)
            weights[name].add_(up @ down - difference)


def _differences(network: PointerNetwork, among: Collection[str] | None = None) -> dict[str, Any]:
    """What of the encoder is not as it was, of all its weights or of those named."""
    old = {f"encoder.{name}": was for name, was in bundled_encoder(network.made_of).state_dict().items()}
    now = network.state_dict()
    chosen = [name for name in old if among is None or name in among]
    return {name: now[name] - old[name] for name in chosen if not now[name].equal(old[name])}


def _factors(difference: Any, rank: int) -> tuple[Any, Any]:
    """(rows, rank) and (rank, columns), whose product is nearest to a matrix."""
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the method is randomised (Halko et al. 2011); what comes of it should not be
        left, values, right = torch.svd_lowrank(difference.float(), min(rank + SPARE_RANK, *difference.shape), niter=4)
    rank = min(rank, int((values > NOTHING * values[0]).sum()))
    root = values[:rank].sqrt()
    return left[:, :rank] * root, (right[:, :rank] * root).T


def put_in(network: PointerNetwork, folder: Path) -> None:
    """Add to a new network what :func:`save_pointer` kept in a folder; heads that it does not have stay as they are."""
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
