"""From texts to tokens, with the boundary between context and continuation placed as the whole text has it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MANY = 8  # continuations of one context from which its beginning is not split again with each
MOST_OF_TWO_WORDS = 24  # tokens


@lru_cache(maxsize=8)
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
    encoded = _split(tokenizer, texts) if texts else []
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return [prefix + list(ids) or [start] for ids in encoded]


def _split(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids alone. The tokenizer's own call makes an object a text, which takes most of its time for short ones."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not getattr(tokenizer, "is_fast", False):
        return [list(ids) for ids in tokenizer(list(texts), add_special_tokens=False).input_ids]
    backend.no_padding()  # what an earlier call may have left; each call of the tokenizer's own sets them anew
    backend.no_truncation()
    return [found.ids for found in backend.encode_batch_fast(list(texts), add_special_tokens=False)]


def shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences have in common."""
    most = min(len(first), len(second))
    if first[:most] == second[:most]:  # by far the commonest case, and much quicker than token by token
        return most
    return next(place for place in range(most) if first[place] != second[place])


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
    few = [c + text for c, row in zip(contexts, continuations, strict=True) if len(row) < MANY for text in row]
    whole = iter(encode(tokenizer, few))
    stand_in = [] if special_prefix(tokenizer) else encode(tokenizer, [""])[0]
    sequences: list[list[int]] = []
    starts: list[int] = []
    for context, before, row in zip(contexts, context_ids, continuations, strict=True):
        own = [next(whole) for _ in row] if len(row) < MANY else _continued(tokenizer, context, before, row)
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


def _continued(tokenizer: Any, context: str, before: list[int], row: Sequence[str]) -> list[list[int]]:
    """Token ids of a context with each of many continuations.

    Only the end of the context is split anew with each. That gives the same tokens for tokenizers that cut a text into words
    first, which is tried on the longest continuation; else every text is split whole.
    """
    if cut := _last_words(tokenizer, context):
        tokens, character = cut
        kept, end = before[:tokens], context[character:]
        longest = max(row, key=len)
        tried = encode(tokenizer, [context + longest])[0]
        prefix = len(special_prefix(tokenizer))
        if tried == kept + encode(tokenizer, [end + longest])[0][prefix:]:
            return [kept + ids[prefix:] for ids in encode(tokenizer, [end + text for text in row])]
    return encode(tokenizer, [context + text for text in row])


def _last_words(tokenizer: Any, context: str) -> tuple[int, int] | None:
    """Where the last two words of a text begin: its token, and its character; None where that cannot be told."""
    if not getattr(tokenizer, "is_fast", False):
        return None
    split = tokenizer(context, add_special_tokens=False, return_offsets_mapping=True)
    words = split.word_ids()
    if not words or words[-1] is None or None in words[-MOST_OF_TWO_WORDS:]:
        return None
    first = next((place for place, word in enumerate(words) if word is not None and word >= words[-1] - 1), 0)
    if first == 0 or len(words) - first > MOST_OF_TWO_WORDS:
        return None
    return len(special_prefix(tokenizer)) + first, int(split["offset_mapping"][first][0])
