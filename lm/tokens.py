"""From texts to tokens, with the boundary between context and continuation placed as the whole text has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def special_prefix(tokenizer: Any) -> list[int]:
    """Tokens that the tokenizer itself puts at the start of a text (a BOS, or none)."""
    plain = tokenizer("a", add_special_tokens=False).input_ids
    full = tokenizer("a", add_special_tokens=True).input_ids
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return list(full[:start])
    return []


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, with the tokenizer's own start tokens and nothing at the end.

    A text of no tokens becomes one BOS (or EOS) token, since a model needs something to condition on.
    """
    prefix = special_prefix(tokenizer)
    encoded = tokenizer(list(texts), add_special_tokens=False).input_ids if texts else []
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return [prefix + list(ids) or [start] for ids in encoded]


def shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences have in common."""
    length = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        length += 1
    return length


def encode_continuations(
    tokenizer: Any, contexts: Sequence[str], continuations: Sequence[Sequence[str]]
) -> tuple[list[list[int]], list[int]]:
    """Tokenise ``context + continuation`` as one text each, and say where each continuation starts.

    Where a token straddles the boundary, the continuation starts at the first token that the context alone does not
    have, so that the straddling token counts as the continuation's; where that is the first token of the text, it is
    conditioned on a start token.

    Args:
        tokenizer: of transformers.
        contexts: texts to be continued.
        continuations: one list a context.

    Returns:
        (sequences, starts), flat over contexts and their continuations: token ids of the whole text, and the index of the
        continuation's first token (at least 1).

    Raises:
        ValueError: a continuation adds no token.
    """
    context_ids = encode(tokenizer, contexts)
    whole = iter(encode(tokenizer, [c + text for c, row in zip(contexts, continuations, strict=True) for text in row]))
    stand_in = [] if special_prefix(tokenizer) else encode(tokenizer, [""])[0]
    sequences, starts = [], []
    for context, before, row in zip(contexts, context_ids, continuations, strict=True):
        own = [next(whole) for _ in row]
        if stand_in and (not context or any(ids[0] != before[0] for ids in own)):
            # Nothing to condition on, or the text's first token belongs to a continuation: a stand-in start token goes first.
            before = stand_in + (before if context else [])
            own = [stand_in + (ids if ids != stand_in else []) for ids in own]  # a text of no tokens stays one
        for text, ids in zip(row, own, strict=True):
            start = shared_length(before, ids)
            if start >= len(ids):
                raise ValueError(f"the continuation {text!r} adds no token to {context[-40:]!r}")
            sequences.append(ids)
            starts.append(max(start, 1))
    return sequences, starts
