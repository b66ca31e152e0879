"""Log-probabilities of continuations by the chain rule, many in one forward pass over a token trie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lm.tokens import shared_length
from lm.trie import chunks, flatten

NODES_PER_PASS = 512  # dense tree attention costs nodes²; beyond this it outweighs the linear layers on a CPU
LIKELY_MARGIN = 5.0  # nats below the likeliest first token within which a sequence is scored in full at once


@dataclass
class Meter:
    """What has been asked of the model: forward calls, and tokens that went through it."""

    forward_calls: int = 0
    tokens: int = 0

    def count(self, tokens: int) -> None:
        self.forward_calls += 1
        self.tokens += tokens


def score_sequences(
    model: Any, sequences: Sequence[Sequence[int]], starts: Sequence[int], meter: Meter, budget: int = NODES_PER_PASS
) -> list[np.ndarray]:
    """Log-probability of each sequence's tokens from its start on.

    Args:
        model: a causal LM of transformers.
        sequences: token ids; shared prefixes are computed once within a pass.
        starts: index of the first token to score, at least 1.
        meter: counts what was computed.
        budget: at most this many trie nodes in one pass (a longer sequence goes alone).

    Returns:
        One array a sequence: nats for each token from its start on.
    """
    scores: list[np.ndarray] = [np.empty(0)] * len(sequences)
    for group in chunks(sequences, budget):
        rows = _tree_pass(model, [sequences[i] for i in group], [starts[i] for i in group], meter, past=None)
        for i, row in zip(group, rows, strict=True):
            scores[i] = row
    return scores


def _tree_pass(
    model: Any, sequences: Sequence[Sequence[int]], starts: Sequence[int], meter: Meter, past: Any | None
) -> list[np.ndarray]:
    """One forward over the sequences' trie; with ``past``, they continue the cached prefix and the cache is left as it was.

    A sequence's last token is only asked for, never computed on, so it is no node of the trie.
    """
    import torch

    trie = flatten([sequence[:-1] for sequence in sequences])
    device = model.device
    before = past.get_seq_length() if past is not None else 0
    nodes = len(trie.tokens)
    blocked = torch.finfo(model.dtype).min
    mask = torch.zeros((1, 1, nodes, before + nodes), dtype=model.dtype)
    mask[0, 0, :, before:].masked_fill_(~torch.from_numpy(trie.ancestors()), blocked)
    asked = [path[start - 1 :] for path, start in zip(trie.paths, starts, strict=True)]
    wanted = sorted({node for path in asked for node in path})
    row_of = {node: row for row, node in enumerate(wanted)}
    with torch.inference_mode():
        output = model(
            input_ids=torch.from_numpy(trie.tokens)[None].to(device),
            position_ids=torch.from_numpy(trie.depths + before)[None].to(device),
            attention_mask=mask.to(device),
            past_key_values=past,
            use_cache=past is not None,
            logits_to_keep=torch.tensor(wanted, device=device),
        )
        log_probs = torch.log_softmax(output.logits[0].float(), dim=-1)
        scores = []
        for path, sequence, start in zip(asked, sequences, starts, strict=True):
            at = torch.tensor([row_of[node] for node in path], device=device)
            tokens = torch.tensor(sequence[start:], device=device)
            scores.append(log_probs[at, tokens].cpu().numpy().astype(np.float64))
    if past is not None:
        past.crop(-nodes)  # only a negative number, of tokens to drop, is accepted
    meter.count(nodes)
    return scores


class PrefixCache:
    """Key-value states of one growing text, reused while continuations of it are scored one slot after another."""

    def __init__(self, model: Any, meter: Meter) -> None:
        from transformers import DynamicCache

        self._model = model
        self._meter = meter
        self._states = DynamicCache(config=model.config)
        self._tokens: list[int] = []

    def score(self, sequences: Sequence[Sequence[int]], starts: Sequence[int]) -> list[np.ndarray]:
        """As :func:`score_sequences`, for sequences that have most of their leading tokens in common."""
        keep = self._keep_common(sequences, starts)
        return self._pass([sequence[keep:] for sequence in sequences], [start - keep for start in starts])

    def score_likely(self, sequences: Sequence[Sequence[int]], starts: Sequence[int]) -> np.ndarray:
        """Total log-probability of each sequence from its start on, exact for every one that can be the largest.

        A sequence cannot be likelier than its first token. So the first tokens are scored, which takes one forward of a token
        or so; then only the sequences within reach of the best; and the rest only if they could still win. The others keep
        their upper bound.
        """
        keep = self._keep_common(sequences, starts)
        tails, begins = [sequence[keep:] for sequence in sequences], [start - keep for start in starts]
        firsts = self._pass([tail[: begin + 1] for tail, begin in zip(tails, begins, strict=True)], begins)
        totals = np.array([float(first[0]) for first in firsts])
        waiting = np.array([len(tail) > begin + 1 for tail, begin in zip(tails, begins, strict=True)])
        reach = totals.max() - LIKELY_MARGIN
        while (chosen := np.flatnonzero(waiting & (totals >= reach))).size:
            exact = self._pass([tails[i] for i in chosen], [begins[i] for i in chosen])
            totals[chosen] = [part.sum() for part in exact]
            waiting[chosen] = False
            reach = totals[~waiting].max()  # a bound below the best exact score cannot win
        return totals

    def _pass(self, tails: Sequence[Sequence[int]], begins: Sequence[int]) -> list[np.ndarray]:
        return _tree_pass(self._model, tails, begins, self._meter, past=self._states)

    def _keep_common(self, sequences: Sequence[Sequence[int]], starts: Sequence[int]) -> int:
        """Make the cache hold what all sequences share before anything is asked of them; returns its length."""
        common = list(sequences[0])
        for sequence in sequences[1:]:
            common = common[: shared_length(common, sequence)]
        keep = min(len(common), min(starts) - 1)
        self._advance(common[:keep])
        return keep

    def _advance(self, tokens: list[int]) -> None:
        """Make the cache hold exactly ``tokens``, computing only what it does not have."""
        import torch

        held = shared_length(self._tokens, tokens)
        if surplus := len(self._tokens) - held:
            self._states.crop(-surplus)
        fresh = tokens[held:]
        if fresh:
            with torch.inference_mode():
                self._model(
                    input_ids=torch.tensor([fresh], device=self._model.device),
                    past_key_values=self._states,
                    use_cache=True,
                    logits_to_keep=1,
                )
            self._meter.count(len(fresh))
        self._tokens = tokens
