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
        common = _common(sequences)
        keep = min(len(common), min(starts) - 1)
        if keep:
            self._advance(common[:keep])
        else:
            self._trim(0)
        return self._pass([sequence[keep:] for sequence in sequences], [start - keep for start in starts])

    def score_likely(self, sequences: Sequence[Sequence[int]], starts: Sequence[int]) -> np.ndarray:
        """Total log-probability of each sequence from its start on, exact for every one that can be the largest.

        A sequence cannot be likelier than its first token. So the first tokens are scored, all by the forward that brings the
        cache up to them; then only the sequences within reach of the best; and the rest only if they could still win. The
        others keep their upper bound. Sequences that do not share all tokens before their starts are all scored in full.
        """
        start, common = starts[0], _common(sequences)
        if len(common) < start or any(other != start for other in starts):
            return np.array([part.sum() for part in self.score(sequences, starts)])
        law = self._advance(common[:start])
        firsts = law[[sequence[start] for sequence in sequences]]
        totals = firsts.copy()
        waiting = np.array([len(sequence) > start + 1 for sequence in sequences])
        reach = totals.max() - LIKELY_MARGIN
        while (chosen := np.flatnonzero(waiting & (totals >= reach))).size:
            rest = self._pass([list(sequences[i])[start:] for i in chosen.tolist()], [1] * len(chosen))
            totals[chosen] = firsts[chosen] + [part.sum() for part in rest]
            waiting[chosen] = False
            reach = totals[~waiting].max()  # a bound below the best exact score cannot win
        return totals

    def _pass(self, tails: Sequence[Sequence[int]], begins: Sequence[int]) -> list[np.ndarray]:
        return _tree_pass(self._model, tails, begins, self._meter, past=self._states)

    def _trim(self, held: int) -> None:
        if surplus := len(self._tokens) - held:
            self._states.crop(-surplus)
            self._tokens = self._tokens[:held]

    def _advance(self, tokens: list[int]) -> np.ndarray:
        """Make the cache hold exactly ``tokens``, computing what it does not have; returns the law of the next token."""
        import torch

        held = min(shared_length(self._tokens, tokens), len(tokens) - 1)
        self._trim(held)
        fresh = tokens[held:]
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([fresh], device=self._model.device),
                past_key_values=self._states,
                use_cache=True,
                logits_to_keep=1,
            )
            law = torch.log_softmax(output.logits[0, -1].float(), dim=-1)
        self._meter.count(len(fresh))
        self._tokens = tokens
        return np.asarray(law.cpu().numpy(), dtype=np.float64)


def _common(sequences: Sequence[Sequence[int]]) -> list[int]:
    """The leading tokens that all sequences share."""
    common = list(sequences[0])
    for sequence in sequences[1:]:
        common = common[: shared_length(common, sequence)]
    return common
