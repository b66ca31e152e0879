"""The network behind :mod:`lm.pointer`: a sentence encoder with linear heads, and how its batches are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

MOST_TOKENS = 512  # positions that the encoder has
MOST_OF_TEXT, MOST_OF_ITEM = 200, 24


@dataclass(frozen=True)
class Laid:
    """A text and its items as one row of tokens.

    Attributes:
        tokens: of the whole row: text, then items, each with a separator behind it.
        text_tokens: how many belong to the text, marks included.
        items: where each item's tokens begin and end.
        offsets: where each token of the text stands in it, in characters, marks aside.
    """

    tokens: list[int]
    text_tokens: int
    items: list[tuple[int, int]]
    offsets: list[tuple[int, int]]


def lay_out(tokenizer: Any, text: str, items: Sequence[str]) -> Laid:
    """One row of at most 512 tokens; a long text is cut off, and items are cut short where there are many."""
    plain = {"add_special_tokens": False, "truncation": True}
    told = tokenizer(text, max_length=MOST_OF_TEXT, return_offsets_mapping=True, **plain)
    tokens = [tokenizer.cls_token_id, *told["input_ids"], tokenizer.sep_token_id]
    text_tokens = len(tokens)
    pieces = [tokenizer(item, max_length=MOST_OF_ITEM, **plain)["input_ids"] for item in items]
    room = MOST_TOKENS - text_tokens
    if sum(len(piece) + 1 for piece in pieces) > room:
        most = max(1, room // len(pieces) - 1)
        pieces = [piece[:most] for piece in pieces[: room // 2]]
    places = []
    for piece in pieces:
        places.append((len(tokens), len(tokens) + len(piece)))
        tokens += [*piece, tokenizer.sep_token_id]
    return Laid(tokens, text_tokens, places, told["offset_mapping"])


def batch_of(rows: Sequence[Laid]) -> dict[str, torch.Tensor]:
    """Rows padded to one length: ``tokens``, ``mask``, ``kinds`` (rows, tokens), ``pool`` (rows, items, tokens), ``there``."""
    longest, most = max(len(row.tokens) for row in rows), max(1, *(len(row.items) for row in rows))
    tokens, mask, kinds = (np.zeros((len(rows), longest), dtype=np.int64) for _ in range(3))
    pool = np.zeros((len(rows), most, longest), dtype=np.float32)
    there = np.zeros((len(rows), most), dtype=bool)
    for number, row in enumerate(rows):
        tokens[number, : len(row.tokens)] = row.tokens
        mask[number, : len(row.tokens)] = 1
        kinds[number, row.text_tokens : len(row.tokens)] = 1
        for item, (start, end) in enumerate(row.items):
            pool[number, item, start:end] = 1 / max(1, end - start)
            there[number, item] = True
    arrays = {"tokens": tokens, "mask": mask, "kinds": kinds, "pool": pool, "there": there}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class PointerNetwork(nn.Module):
    """The encoder reads text and items at once; means over the text and over each item go through linear heads.

    Args:
        encoder: of ``transformers``, BERT-like.
        classes: number of classes of a text.
        marks: number of things that may hold of a text, each by itself.
        slots: number of slots that items fit.
    """

    def __init__(self, encoder: nn.Module, classes: int, marks: int, slots: int) -> None:
        super().__init__()
        width = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.of_text = nn.Linear(width, classes)
        self.mark = nn.Linear(width, marks)
        self.slot = nn.Linear(width, slots)
        self.word = nn.Linear(
            width, slots + 1
        )  # of each token of the text: the slot it speaks of, or none; for training

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits: (rows, classes), (rows, marks), (rows, items, slots), (rows, tokens, slots + 1)."""
        hidden = self.encoder(
            input_ids=batch["tokens"], attention_mask=batch["mask"], token_type_ids=batch["kinds"]
        ).last_hidden_state
        own = (batch["mask"] * (1 - batch["kinds"]))[..., None].to(hidden.dtype)
        text = (hidden * own).sum(1) / own.sum(1)
        items = batch["pool"].to(hidden.dtype) @ hidden
        return self.of_text(text), self.mark(text), self.slot(items), self.word(hidden)
