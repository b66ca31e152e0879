"""The network behind :mod:`lm.pointer`: an encoder with linear heads, and how its batches are laid out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lm.pointer import Item
from lm.pointer_encoders import EncoderKind, RowTokens

MOST_TOKENS = 512  # positions that the sentence encoder has
MOST_OF_TEXT, MOST_OF_NAME, MOST_OF_OPTION = 200, 24, 6
LEAST_OF_TEXT = 100  # where the items need room
OF_BEGINNING = 0.3  # of what is kept of a long text; the rest is its end, where a question mostly is asked
MOST_READ = 4000  # tokens of a text that are looked at at all
LINK_WIDTH = 64


@dataclass(frozen=True)
class Laid:
    """A text and its items as one row of tokens.

    Attributes:
        tokens: of the whole row: text, then items, each with a separator behind it.
        text_tokens: how many belong to the text, marks included.
        items: where each item's tokens begin and end, its options' included.
        options: of each option the number of its item, and where its tokens begin and end.
        offsets: where each token of the text stands in it, in characters, marks aside.
    """

    tokens: list[int]
    text_tokens: int
    items: list[tuple[int, int]]
    options: list[tuple[int, int, int]]
    offsets: list[tuple[int, int]]


def lay_out(form: RowTokens, text: str, items: Sequence[Item]) -> Laid:
    """One row of at most 512 tokens. A long text loses its middle; many items lose some or all of their options, the last
    first, and the middles of their names."""
    plain = {"add_special_tokens": False, "truncation": True, "return_attention_mask": False}
    told = form.tokenizer(text, max_length=MOST_READ, return_offsets_mapping=True, **plain)
    names = form.ids([item.name for item in items], MOST_OF_NAME)
    flat = iter(form.ids([option for item in items for option in item.options], MOST_OF_OPTION))
    options = [[next(flat) for _ in item.options] for item in items]
    of_names = sum(len(name) + 1 for name in names)
    most_of_text = min(MOST_OF_TEXT, max(LEAST_OF_TEXT, MOST_TOKENS - 2 - of_names))
    text_ids, offsets = (_ends(told[part], most_of_text) for part in ("input_ids", "offset_mapping"))
    tokens = [form.start, *text_ids, form.separator]
    text_tokens = len(tokens)
    room = MOST_TOKENS - text_tokens
    if of_names > room:
        most = max(1, room // len(names) - 1)
        names = [_ends(name, most, 0.5) for name in names[: room // 2]]
        options = [[] for _ in names]
    else:
        options = _fitting(options, room - of_names)
    colon, comma = form.tokenizer.convert_tokens_to_ids([":", ","])
    places, chosen = [], []
    for number, name in enumerate(names):
        start = len(tokens)
        tokens += name
        for place, option in enumerate(options[number]):
            tokens.append(comma if place else colon)
            chosen.append((number, len(tokens), len(tokens) + len(option)))
            tokens += option
        places.append((start, len(tokens)))
        tokens.append(form.separator)
    return Laid(tokens, text_tokens, places, chosen, offsets)


def _ends(held: Sequence[Any], most: int, of_beginning: float = OF_BEGINNING) -> list[Any]:
    """At most so many of a sequence, from its beginning and its end."""
    first = math.ceil(most * of_beginning)
    return list(held) if len(held) <= most else [*held[:first], *held[len(held) - most + first :]]


def _fitting(options: list[list[list[int]]], room: int) -> list[list[list[int]]]:
    """The first options of each item: as many as there is room for those of all."""
    for most in range(max(map(len, options), default=0), 0, -1):
        shown = [own[:most] for own in options]
        if sum(len(one) + 1 for own in shown for one in own) <= room:
            return shown
    return [[] for _ in options]


def batch_of(rows: Sequence[Laid]) -> dict[str, torch.Tensor]:
    """Rows padded to one length, at their ends.

    Returns:
        ``tokens``, ``mask``, ``kinds`` (rows, tokens); ``pool`` (rows, items, tokens) and ``there`` (rows, items);
        ``option_pool`` (rows, options, tokens).
    """
    longest, most = max(len(row.tokens) for row in rows), max(1, *(len(row.items) for row in rows))
    tokens, mask, kinds = (np.zeros((len(rows), longest), dtype=np.int64) for _ in range(3))
    pool = np.zeros((len(rows), most, longest), dtype=np.float32)
    option_pool = np.zeros((len(rows), max(1, *(len(row.options) for row in rows)), longest), dtype=np.float32)
    there = np.zeros((len(rows), most), dtype=bool)
    for number, row in enumerate(rows):
        tokens[number, : len(row.tokens)] = row.tokens
        mask[number, : len(row.tokens)] = 1
        kinds[number, row.text_tokens : len(row.tokens)] = 1
        for item, (start, end) in enumerate(row.items):
            pool[number, item, start:end] = 1 / max(1, end - start)
            there[number, item] = True
        for option, (_, start, end) in enumerate(row.options):
            option_pool[number, option, start:end] = 1 / max(1, end - start)
    arrays = {
        "tokens": tokens, "mask": mask, "kinds": kinds, "pool": pool, "option_pool": option_pool, "there": there
    }  # fmt: skip
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class Logits(NamedTuple):
    """What the heads say: (rows, classes), (rows, marks), (rows, items, slots), (rows, items, kinds), (rows, options),
    (rows, tokens, items + 1; first of none), and (rows, tokens, slots + 1; first of none)."""

    classes: torch.Tensor
    marks: torch.Tensor
    slots: torch.Tensor
    kinds: torch.Tensor
    options: torch.Tensor
    links: torch.Tensor
    words: torch.Tensor


class PointerNetwork(nn.Module):
    """The encoder reads text and items at once; means over the text, each item and each option go through linear heads, and
    tokens are linked to items by a product.

    Args:
        kind: which of the bundled encoders this is.
        encoder: called as those of ``transformers`` are.
        classes: number of classes of a text.
        marks: number of things that may hold of a text, each by itself.
        slots: number of slots that items fit.
        kinds: number of kinds that an item is one of.
    """

    def __init__(self, kind: EncoderKind, encoder: Any, classes: int, marks: int, slots: int, kinds: int) -> None:
        super().__init__()
        width = int(encoder.config.hidden_size)
        self.made_of: EncoderKind = kind
        self.encoder = encoder
        self.of_text = nn.Linear(width, classes)
        self.mark = nn.Linear(width, marks)
        self.slot = nn.Linear(width, slots)
        self.kind = nn.Linear(width, kinds)
        self.option = nn.Linear(width, 1)
        self.link_word, self.link_item = nn.Linear(width, LINK_WIDTH), nn.Linear(width, LINK_WIDTH)
        self.unlinked = nn.Linear(width, 1)
        self.word = nn.Linear(width, slots + 1)  # of each token of the text: its item's slot, or none; for training

    def forward(self, batch: dict[str, torch.Tensor]) -> Logits:
        """Logits of a batch of :func:`batch_of`."""
        hidden = self.encoder(
            input_ids=batch["tokens"], attention_mask=batch["mask"], token_type_ids=batch["kinds"]
        ).last_hidden_state
        own = (batch["mask"] * (1 - batch["kinds"]))[..., None].to(hidden.dtype)
        text = (hidden * own).sum(1) / own.sum(1)
        items = batch["pool"].to(hidden.dtype) @ hidden
        options = batch["option_pool"].to(hidden.dtype) @ hidden
        links = self.link_word(hidden) @ self.link_item(items).transpose(1, 2) / LINK_WIDTH**0.5
        links = links.masked_fill(~batch["there"][:, None], -torch.inf)
        return Logits(
            self.of_text(text),
            self.mark(text),
            self.slot(items),
            self.kind(items),
            self.option(options)[..., 0],
            torch.cat([self.unlinked(hidden), links], -1),
            self.word(hidden),
        )
