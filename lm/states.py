"""Key-value states of texts, kept as a tree of segments so that texts with a common beginning share it.

A segment holds the states of a run of tokens after a place in its parent. Looking a text up walks the tree as far as the tokens
agree, to the token; what is least recently used goes first when the budget is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm.tokens import shared_length

MEMORY_BUDGET = 2**30  # bytes


@dataclass(eq=False)
class Segment:
    """States of some tokens.

    Attributes:
        tokens: the run of token ids.
        states: (layers, 2, heads, tokens, dimensions): keys and values.
        parent: the segment before, or None at the start of a text.
        joint: how many of the parent's tokens come before this run.
        children: by (joint, first token).
        used: when it was last looked up.
    """

    tokens: list[int]
    states: Any
    parent: Segment | None
    joint: int
    children: dict[tuple[int, int], Segment] = field(default_factory=dict)
    used: int = 0


@dataclass(frozen=True)
class Place:
    """A point in the tree: after the first ``taken`` tokens of a segment, ``length`` tokens into the text."""

    segment: Segment | None = None
    taken: int = 0
    length: int = 0

    def pieces(self) -> Iterator[tuple[Segment, int]]:
        """Segments from the last to the first, each with how many of its tokens count."""
        segment, taken = self.segment, self.taken
        while segment is not None:
            yield segment, taken
            taken, segment = segment.joint, segment.parent


class StateTree:
    """The states of one model's texts, within a budget.

    Args:
        model: a causal LM of transformers, all of whose layers attend to the whole text.
        budget: bytes that may be kept. What a pass is using is never dropped, so a pass may exceed it for a moment.
    """

    def __init__(self, model: Any, budget: int = MEMORY_BUDGET) -> None:
        config = model.config.get_text_config(decoder=True)
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dimensions = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.shape = (config.num_hidden_layers, 2, heads, dimensions)
        self.capacity = budget // (config.num_hidden_layers * 2 * heads * dimensions * model.dtype.itemsize)  # tokens
        self.held = 0  # tokens
        self._roots = Segment([], None, None, 0)
        self._clock = 0

    def find(self, tokens: Sequence[int], most: int) -> Place:
        """The longest beginning of a text that is held, of at most ``most`` tokens."""
        self._clock += 1
        place, node, start = Place(), self._roots, 0
        while start < most:
            child = node.children.get((place.taken, tokens[start]))
            if child is None:
                break
            taken = shared_length(child.tokens, tokens[start:most])
            child.used = self._clock
            place, node, start = Place(child, taken, start + taken), child, start + taken
        return place

    def add(self, place: Place, tokens: Sequence[int], states: Any) -> None:
        """Keep the states, (layers, 2, heads, tokens, dimensions), of the tokens that follow a place.

        The place must be where :meth:`find` ends for the text.
        """
        parent = place.segment or self._roots
        parent.children[(place.taken, tokens[0])] = Segment(
            list(tokens), states, place.segment, place.taken, used=self._clock
        )
        self.held += len(tokens)

    def trim(self) -> None:
        """Drop the least recently used ends until the budget is kept."""
        while self.held > self.capacity:
            ends = sorted(self._ends(self._roots), key=lambda end: end.used)
            for end in ends:
                if self.held <= 0.9 * self.capacity:  # some room, so as not to sort at every turn
                    break
                del (end.parent or self._roots).children[(end.joint, end.tokens[0])]
                self.held -= len(end.tokens)

    def _ends(self, segment: Segment) -> Iterator[Segment]:
        stack = [segment]
        while stack:
            one = stack.pop()
            stack.extend(one.children.values())
            if not one.children and one is not self._roots:
                yield one
