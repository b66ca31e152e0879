"""A plain way to score a text, to hold the trie and the caches against: one full forward a candidate, nothing shared."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import torch


def token_log_probs(model: Any, tokenizer: Any, context: str, continuation: str) -> list[float]:
    """Log-probability of each token of ``context + continuation`` that the context alone does not have."""
    before = tokenizer(context, add_special_tokens=False)["input_ids"]
    whole = tokenizer(context + continuation, add_special_tokens=False)["input_ids"]
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, whole, strict=False)))
    if start == 0:  # nothing to condition on: the start token stands in
        start, whole = 1, [tokenizer.bos_token_id, *whole]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([whole])).logits[0].double()
    law = torch.log_softmax(logits, dim=-1)
    return [float(law[place - 1, whole[place]]) for place in range(start, len(whole))]


def log_prob(lm: Any, context: str, continuation: str) -> float:
    """Chain rule: the sum of :func:`token_log_probs`."""
    return sum(token_log_probs(lm.model, lm.tokenizer, context, continuation))
