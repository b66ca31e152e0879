"""One forward pass over many small tries, each after a text whose states are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from lm.states import NO_STATE, Place, StateTree
from lm.trie import TokenTrie

_SWITCH = "TRANSFORMERS_SDPA_FORCE_GQA"  # transformers reads it at each layer
_SWITCH_LOCK = threading.Lock()
_SWITCH_STACK: list[str] = []  # one entry a pass that is running


@dataclass
class Meter:
    """What has been asked of the model: forward calls, and tokens that went through it (padding counted)."""

    forward_calls: int = 0
    tokens: int = 0

    def count(self, tokens: int) -> None:
        self.forward_calls += 1
        self.tokens += tokens


@dataclass
class Row:
    """One row of a pass: texts that continue the same place.

    Attributes:
        place: what is kept already.
        trie: the tokens to compute, without each sequence's last, which is only asked for.
        paths: by sequence, its nodes in the trie.
    """

    place: Place
    trie: TokenTrie = field(default_factory=TokenTrie)
    paths: dict[int, list[int]] = field(default_factory=dict)

    def add(self, index: int, sequence: Sequence[int]) -> None:
        self.paths[index] = self.trie.add(sequence[self.place.length : -1])


def tree_pass(
    model: Any,
    rows: Sequence[Row],
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    meter: Meter,
    tree: StateTree,
) -> dict[int, np.ndarray]:
    """Score the sequences of all rows in one forward, and keep the states of their contexts.

    Nodes stand in any order in a row, since positions and mask are given: those whose logits are wanted stand last, so
    that the head of the model sees few others.

    Returns:
        By sequence: nats of each token from its start on.
    """
    import torch

    device, width = model.device, max(len(row.trie) for row in rows)
    before = max(row.place.length for row in rows)
    wanted = [
        sorted({node for i, path in row.paths.items() for node in path[starts[i] - row.place.length - 1 :]})
        for row in rows
    ]
    kept = max(map(len, wanted))
    tokens, positions = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    visible = np.zeros((len(rows), width, before + width), dtype=bool)
    visible[:, np.arange(width), before + np.arange(width)] = True
    columns = []
    for number, (row, last) in enumerate(zip(rows, wanted, strict=True)):
        size = len(row.trie)
        isin = np.zeros(size, dtype=bool)
        isin[last] = True
        order = np.concatenate([np.flatnonzero(~isin), np.flatnonzero(isin)])
        column = np.empty(size, dtype=np.int64)
        column[order] = np.arange(width - size, width)
        columns.append(column)
        tokens[number, column] = row.trie.tokens
        positions[number, column] = np.asarray(row.trie.depths) + row.place.length
        visible[number, column[:, None], before + column[None, :]] = row.trie.ancestors()
        visible[number, column, before - row.place.length : before] = True
    states = _KeptStates(tree, rows, before, width)
    with torch.inference_mode(), _grouped_heads(device):
        mask = torch.zeros(visible.shape, dtype=model.dtype)
        mask.masked_fill_(torch.from_numpy(~visible), torch.finfo(model.dtype).min)
        output = model(
            input_ids=torch.from_numpy(tokens).to(device),
            position_ids=torch.from_numpy(positions).to(device),
            attention_mask=mask[:, None].to(device),
            past_key_values=states.cache,
            use_cache=True,
            logits_to_keep=kept,
        )
        flat = [(n, int(columns[n][node]) - (width - kept)) for n, last in enumerate(wanted) for node in last]
        at = torch.tensor(flat, device=device)
        log_probs = torch.log_softmax(output.logits[at[:, 0], at[:, 1]].float(), dim=-1)
        place_of = {
            (n, node): k for k, (n, node) in enumerate((n, node) for n, last in enumerate(wanted) for node in last)
        }
        asked = [
            (i, place_of[(n, node)], token)
            for n, row in enumerate(rows)
            for i, path in row.paths.items()
            for node, token in zip(path[starts[i] - row.place.length - 1 :], sequences[i][starts[i] :], strict=True)
        ]
        who, lines, targets = (np.array(part) for part in zip(*asked, strict=True))
        values = log_probs[torch.from_numpy(lines).to(device), torch.from_numpy(targets).to(device)]
        nats = values.cpu().numpy().astype(np.float64)
    states.keep(sequences, starts, columns)
    meter.count(len(rows) * width)
    ends = np.flatnonzero(np.diff(who)) + 1
    return dict(zip(who[np.concatenate([[0], ends])].tolist(), np.split(nats, ends), strict=True))


class _KeptStates:
    """The rows' kept states in one buffer, with room after them for what the pass computes."""

    def __init__(self, tree: StateTree, rows: Sequence[Row], before: int, width: int) -> None:
        from transformers.cache_utils import Cache

        self._tree, self._rows, self._before = tree, rows, before
        slots = np.full((len(rows), before + width), NO_STATE)
        for number, row in enumerate(rows):
            slots[number, before - row.place.length : before] = row.place.slots()
        self._all = tree.gather(slots)  # (layers, 2, heads, rows, before + width, dimensions)
        layer = _buffer_layer()
        self.cache = Cache(layers=[layer(*states.transpose(1, 2), before) for states in self._all])

    def keep(self, sequences: Sequence[Sequence[int]], starts: Sequence[int], columns: Sequence[np.ndarray]) -> None:
        """Put every context of the pass into the tree."""
        import torch

        done: set[tuple[int, int]] = set()
        for number, row in enumerate(self._rows):
            for i, path in row.paths.items():
                context = path[: starts[i] - row.place.length]
                if (number, context[-1]) in done:
                    continue
                done.add((number, context[-1]))
                place = self._tree.find(sequences[i], starts[i])
                if place.length < row.place.length or place.length == starts[i]:
                    continue  # what it continued had to make room meanwhile, or it is kept already
                fresh = context[place.length - row.place.length :]
                at = torch.from_numpy(columns[number][fresh] + self._before).to(self._all.device)
                states = self._all[:, :, :, number].index_select(3, at)
                self._tree.add(place, sequences[i][place.length : starts[i]], states)


@contextmanager
def _grouped_heads(device: Any) -> Iterator[None]:
    """On a CPU, attention over shared key-value heads as they are; transformers repeats them where there is a mask."""
    if device.type != "cpu" or (not _SWITCH_STACK and _SWITCH in os.environ):  # the user has chosen
        yield
        return
    with _SWITCH_LOCK:
        _SWITCH_STACK.append(_SWITCH)
        os.environ[_SWITCH] = "1"
    try:
        yield
    finally:
        with _SWITCH_LOCK:
            _SWITCH_STACK.pop()
            if not _SWITCH_STACK:
                os.environ.pop(_SWITCH)


@cache
def _buffer_layer() -> type:
    """A cache layer over a buffer that has room for the new states, so that nothing is copied to append them."""
    from transformers.cache_utils import DynamicLayer

    class BufferLayer(DynamicLayer):
        def __init__(self, keys: Any, values: Any, before: int) -> None:
            super().__init__()
            self.keys, self.values, self._before = keys, values, before
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True

        def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
            self.keys[..., self._before :, :] = key_states
            self.values[..., self._before :, :] = value_states
            return self.keys, self.values

        def get_seq_length(self) -> int:
            return self._before

    return BufferLayer
