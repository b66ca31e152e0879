"""Key-value states of texts, kept as a tree of segments so that texts with a common beginning share it.

A segment stands for a run of tokens after a place in its parent. Looking a text up walks the tree as far as the tokens agree, to
the token. The states lie in one pool of slots, a slot a token, which never grows: what is least recently used makes room.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lm.tokens import shared_length

MEMORY_BUDGET = 2**30  # bytes
NO_STATE = 0  # stands for zeros, where a row has no state


@dataclass(eq=False)
class Segment:
    """A run of tokens whose states are kept.

    Attributes:
        tokens: token ids.
        slots: where each token's states lie in the pool.
        parent: the segment before, or None at the start of a text.
        joint: how many of the parent's tokens come before this run.
        children: by (joint, first token).
        used: when it was last looked up.
    """

    tokens: list[int]
    slots: list[int]
    parent: Segment | None
    joint: int
    children: dict[tuple[int, int], Segment] = field(default_factory=dict)
    used: int = 0


class FreeSlots:
    """Which slots are free, as runs: states that lie side by side are copied many times faster than scattered ones."""

    def __init__(self, first: int, count: int) -> None:
        self._runs = [(first, count)] if count else []  # (start, length), by start

    def take(self, count: int) -> list[int]:
        """So many slots, which must be free: the first run that holds them, else the longest ones."""
        for place, (start, length) in enumerate(self._runs):
            if length >= count:
                self._runs[place : place + 1] = [(start + count, length - count)] if length > count else []
                return list(range(start, start + count))
        place = max(range(len(self._runs)), key=lambda i: self._runs[i][1])
        start, length = self._runs.pop(place)
        return [*range(start, start + length), *self.take(count - length)]

    def give(self, slots: Sequence[int]) -> None:
        """Slots that are free again."""
        for slot in slots:
            insort(self._runs, (slot, 1))
        merged: list[tuple[int, int]] = []
        for start, length in self._runs:
            if merged and sum(merged[-1]) == start:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((start, length))
        self._runs = merged


@dataclass(frozen=True)
class Place:
    """A point in the tree: after the first ``taken`` tokens of a segment, ``length`` tokens into the text."""

    segment: Segment | None = None
    taken: int = 0
    length: int = 0

    def slots(self) -> list[int]:
        """(length,) slots of the text's tokens up to here."""
        runs = []
        segment, taken = self.segment, self.taken
        while segment is not None:
            runs.append(segment.slots[:taken])
            taken, segment = segment.joint, segment.parent
        return [slot for run in reversed(runs) for slot in run]


def longest_text(model: Any) -> int:
    """Tokens up to which every layer sees the whole text, and positions are known."""
    config = model.config.get_text_config(decoder=True)
    limits = [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions")]
    kinds = set(getattr(config, "layer_types", None) or ["sliding_attention"])
    if getattr(config, "use_sliding_window", True) and kinds & {"sliding_attention", "chunked_attention"}:
        limits += [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return min((limit for limit in limits if limit), default=2**31)


class StateTree:
    """The states of one model's texts, within a budget.

    Args:
        model: a causal LM of transformers, all of whose layers attend to the whole text.
        budget: bytes that the pool may take; memory is claimed as it fills. What a pass gathers may take as much again.

    Attributes:
        capacity: tokens that the budget holds.
        held: tokens that are kept.
        dropped: segments that had to make room so far.
        longest: tokens that a text may have.
    """

    def __init__(self, model: Any, budget: int = MEMORY_BUDGET) -> None:
        import torch

        config = model.config.get_text_config(decoder=True)
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dimensions = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        layers = config.num_hidden_layers
        self.capacity = budget // (layers * 2 * heads * dimensions * model.dtype.itemsize)
        self.held = 0
        self.dropped = 0
        self.longest = longest_text(model)
        self._pool = torch.empty(
            (layers, 2, heads, self.capacity + 1, dimensions), dtype=model.dtype, device=model.device
        )
        self._buffer = self._pool.new_empty(0)
        self._free = FreeSlots(NO_STATE + 1, self.capacity)
        self._root = Segment([], [], None, 0)
        self._clock = 0

    def find(self, tokens: Sequence[int], most: int) -> Place:
        """The longest beginning of a text that is kept, of at most ``most`` tokens."""
        self._clock += 1
        place, node, start = Place(), self._root, 0
        while start < most:
            child = node.children.get((place.taken, tokens[start]))
            if child is None:
                break
            taken = shared_length(child.tokens, tokens[start:most])
            child.used = self._clock
            place, node, start = Place(child, taken, start + taken), child, start + taken
        return place

    def gather(self, slots: np.ndarray) -> Any:
        """(layers, 2, heads, rows, columns, dimensions) states at (rows, columns) slots, copied run by run.

        Zeros stand where the slot is NO_STATE. They lie in a buffer that the next call uses again: new memory for each would
        take longer than the copying.
        """
        layers, two, heads, _, dimensions = self._pool.shape
        shape = (layers, two, heads, *slots.shape, dimensions)
        if self._buffer.numel() < (size := math.prod(shape)):
            self._buffer = self._pool.new_empty(size)
        states = self._buffer[:size].view(shape)
        for row, line in enumerate(slots):
            before, after = line[:-1], line[1:]
            together = np.where(before == NO_STATE, after == NO_STATE, after == before + 1)
            ends = np.flatnonzero(~together) + 1
            for first, last in zip([0, *ends], [*ends, len(line)], strict=True):
                start = int(line[first])
                if start == NO_STATE:
                    states[:, :, :, row, first:last] = 0
                else:
                    states[:, :, :, row, first:last] = self._pool[:, :, :, start : start + last - first]
        return states

    def add(self, place: Place, tokens: Sequence[int], states: Any) -> None:
        """Keep the states, (layers, 2, heads, tokens, dimensions), of the tokens that follow a place.

        The place must be what the last :meth:`find` gave for the text. Where even dropping all else leaves no room, nothing
        is kept.
        """
        import torch

        if not self._make_room(len(tokens)):
            return
        slots = self._free.take(len(tokens))
        self._pool.index_copy_(3, torch.tensor(slots, device=self._pool.device), states)
        parent = place.segment or self._root
        parent.children[(place.taken, tokens[0])] = Segment(
            list(tokens), slots, place.segment, place.taken, used=self._clock
        )
        self.held += len(tokens)

    def _make_room(self, tokens: int) -> bool:
        """Drop the least recently used ends, but none that the last lookup passed, until there is room."""
        if tokens > self.capacity:
            return False
        while self.held + tokens > self.capacity:
            ends = sorted((end for end in self._ends() if end.used < self._clock), key=lambda end: end.used)
            if not ends:
                return False
            for end in ends:
                if self.held + tokens <= 0.9 * self.capacity:  # some room, so as not to sort at every turn
                    break
                del (end.parent or self._root).children[(end.joint, end.tokens[0])]
                self._free.give(end.slots)
                self.held -= len(end.tokens)
                self.dropped += 1
        return True

    def _ends(self) -> Iterator[Segment]:
        stack = list(self._root.children.values())
        while stack:
            one = stack.pop()
            stack.extend(one.children.values())
            if not one.children:
                yield one
