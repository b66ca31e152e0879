"""Examples as token rows, and several of them in one row behind the beginning that they share.

Questions about one data file share its list of columns. Such questions stand in one row: the shared beginning once, then
branches that see the beginning and themselves but not each other. Loss and gradients are those of separate rows; only the
work on the beginning is saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lm import LanguageModel
from lm.tokens import shared_length

WORTH_SHARING = 24  # tokens; more than the chat format alone, which all conversations share
PAD = -1


@dataclass(frozen=True)
class Example:
    """One conversation and the completion wanted of the model."""

    messages: tuple[dict[str, str], ...]
    completion: str


@dataclass(frozen=True)
class TokenRow:
    """Tokens of a conversation; those from ``completion`` on count in the loss."""

    tokens: tuple[int, ...]
    completion: int


@dataclass(frozen=True)
class Pack:
    """Token rows behind their shared beginning.

    Attributes:
        beginning: tokens that all rows start with; none of them counts in the loss.
        branches: by row, the tokens after the beginning, and how many of them come before the completion (at least one).
    """

    beginning: tuple[int, ...]
    branches: tuple[tuple[tuple[int, ...], int], ...]

    def __len__(self) -> int:
        return len(self.beginning) + sum(len(tokens) for tokens, _ in self.branches)


def tokenised(base: LanguageModel, example: Example) -> TokenRow:
    """Tokens of prompt, completion and end of text; the completion starts at the first token that the prompt lacks."""
    prompt = base.chat_text(example.messages)
    text = prompt + example.completion + base.tokenizer.eos_token
    both = base.tokenizer([prompt, text], add_special_tokens=False).input_ids
    return TokenRow(tuple(both[1]), shared_length(both[0], both[1]))


def packed(rows: Sequence[TokenRow], most_rows: int, most_tokens: int) -> list[Pack]:
    """Put neighbouring rows that share a long beginning into packs, in order.

    Args:
        rows: token rows; those to be packed together stand side by side.
        most_rows: in one pack; 1 packs nothing.
        most_tokens: in one pack.

    Raises:
        ValueError: a row alone has more than ``most_tokens``.
    """
    if (longest := max((len(row.tokens) for row in rows), default=0)) > most_tokens:
        raise ValueError(
            f"an example has {longest} tokens, more than most_tokens={most_tokens}; it would be cut off silently"
        )
    packs: list[Pack] = []
    waiting: list[TokenRow] = []
    for row in rows:
        if waiting and (len(waiting) == most_rows or not _fits([*waiting, row], most_tokens)):
            packs.append(_pack(waiting))
            waiting = []
        waiting.append(row)
    return [*packs, _pack(waiting)] if waiting else packs


def _beginning(rows: Sequence[TokenRow]) -> int:
    """How many tokens the rows share, short of each one's last prompt token, which says the completion's first."""
    first = rows[0].tokens
    return min(min(shared_length(first, row.tokens), row.completion - 1) for row in rows)


def _fits(rows: Sequence[TokenRow], most_tokens: int) -> bool:
    shared, before = _beginning(rows), _beginning(rows[:-1])
    kept = len(rows) == 2 or shared * len(rows) >= before * (len(rows) - 1)
    return shared >= WORTH_SHARING and kept and shared + sum(len(row.tokens) - shared for row in rows) <= most_tokens


def _pack(rows: Sequence[TokenRow]) -> Pack:
    shared = _beginning(rows)
    return Pack(rows[0].tokens[:shared], tuple((row.tokens[shared:], row.completion - shared) for row in rows))


def features(pack: Pack) -> dict[str, list[int]]:
    """A pack laid flat: token, position, branch (0 the beginning) and label (−100 does not count) of each place."""
    tokens, positions = list(pack.beginning), list(range(len(pack.beginning)))
    branch, labels = [0] * len(tokens), [-100] * len(tokens)
    for number, (own, prompt) in enumerate(pack.branches, start=1):
        tokens += own
        positions += range(len(pack.beginning), len(pack.beginning) + len(own))
        branch += [number] * len(own)
        labels += [-100] * prompt + list(own[prompt:])
    return {"input_ids": tokens, "position_ids": positions, "branch": branch, "labels": labels}


def packs_digest(packs: Sequence[Pack]) -> str:
    """Digest of what a run sees, hexadecimal: all tokens, which of them count, and how they stand together."""
    state = hashlib.sha256()
    for pack in packs:
        for row in features(pack).values():
            state.update(np.asarray(row, np.int64).tobytes() + b"|")
    return state.hexdigest()


def collated(rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """Rows of :func:`features` as one batch, padded at the right.

    Returns:
        ``input_ids``, ``position_ids``, ``branch``, ``labels``: (rows, longest).
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)
    fill = {"input_ids": 0, "position_ids": 0, "branch": PAD, "labels": -100}
    return {
        name: torch.tensor([row[name] + [value] * (longest - len(row[name])) for row in rows])
        for name, value in fill.items()
    }


def visible(branch: Any) -> Any:
    """Who may attend to whom: each place to the beginning and to its own branch, up to itself.

    Args:
        branch: (rows, longest), on the device where the mask is wanted.

    Returns:
        (rows, 1, longest, longest), True where a place may look.
    """
    import torch

    reader, read = branch[:, :, None], branch[:, None, :]
    earlier = torch.ones(branch.shape[1], branch.shape[1], dtype=torch.bool, device=branch.device).tril()
    return (earlier & ((read == 0) | (read == reader)))[:, None]
