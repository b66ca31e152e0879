"""A loaded language model: scoring, constrained choices, generation, chat format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from lm.passes import Meter
from lm.scoring import NODES_PER_PASS, score_sequences
from lm.sharing import require_sharing
from lm.states import MEMORY_BUDGET, StateTree
from lm.tokens import encode_continuations

Rule = Literal["sum", "mean", "pmi"]


@dataclass
class LanguageModel:
    """A causal language model ready for use.

    Attributes:
        name: how it was asked for, such as ``smollm2-135m``.
        model: the transformers (or PEFT) model underneath.
        tokenizer: its tokenizer.
        adapter: folder of the LoRA adapter on top, or None.
        meter: forward calls and tokens so far.
    """

    name: str
    model: Any
    tokenizer: Any
    adapter: Path | None = None
    meter: Meter = field(default_factory=Meter)

    @property
    def device(self) -> str:
        return str(self.model.device)

    @property
    def dtype(self) -> str:
        return str(self.model.dtype).removeprefix("torch.")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of weights (adapter included), configuration and tokenizer, first 16 hex digits: same digest, same scores."""
        import torch

        state = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            state.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            state.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        state.update(_settings_of(self.model.config).encode())
        state.update(_rules_of(self.tokenizer).encode())
        return state.hexdigest()[:16]

    def describe(self) -> str:
        """One line for people: name, adapter, number type and device."""
        tuned = f" + adapter {self.adapter.name}" if self.adapter else ""
        return f"{self.name}{tuned} ({self.dtype} on {self.device})"

    def score(
        self,
        contexts: Sequence[str],
        levels: Sequence[Sequence[str]],
        rule: Rule = "sum",
        *,
        baseline: str = "",
        budget: int = NODES_PER_PASS,
        tree: StateTree | None = None,
    ) -> list[np.ndarray]:
        """Log-probability of each level after its context.

        A single space joins context and level and belongs to the level (an empty context takes no space). Special
        tokens appear only as the tokenizer itself adds them at the start of a text.

        Args:
            contexts: texts to condition on.
            levels: one list of candidate texts a context.
            rule: ``sum`` over the level's tokens (the chain rule), ``mean`` per token, or ``pmi``: the sum minus the sum
                after ``baseline``.
            baseline: the context of the subtracted term of ``pmi``.
            budget: tokens in one forward pass; bounds memory, changes no result beyond rounding.
            tree: key-value states of earlier calls to go on from (see :meth:`session`); by default a new one.

        Returns:
            One array of (levels,) nats a context, not normalised over the levels.

        Raises:
            ValueError: the lists do not match, a context has no level, a level is blank, or the rule is unknown.
        """
        if rule not in get_args(Rule):
            raise ValueError(f"rule {rule!r} is none of {', '.join(get_args(Rule))}")
        if isinstance(contexts, str) or len(contexts) != len(levels):
            raise ValueError(
                f"score needs one list of levels a context; given {len(contexts)} contexts and {len(levels)} lists"
            )
        if not contexts:
            return []
        for context, candidates in zip(contexts, levels, strict=True):
            if isinstance(candidates, str) or not candidates:
                raise ValueError(
                    f"the levels of context {context[-40:]!r} must be a non-empty list of texts; given {candidates!r}"
                )
            if blank := [level for level in candidates if not level.strip()]:
                raise ValueError(f"level {blank[0]!r} of context {context[-40:]!r} is blank")
        sequences, starts = self._encode(contexts, levels)
        tree = tree or self.states()
        tokens = score_sequences(self.model, sequences, starts, self.meter, budget, tree)
        flat = np.array([part.mean() if rule == "mean" else part.sum() for part in tokens])
        rows = np.split(flat, np.cumsum([len(candidates) for candidates in levels])[:-1])
        if rule == "pmi":
            distinct = list(dict.fromkeys(level for candidates in levels for level in candidates))
            prior = dict(zip(distinct, self.score([baseline], [distinct], budget=budget, tree=tree)[0], strict=True))
            rows = [row - [prior[level] for level in candidates] for row, candidates in zip(rows, levels, strict=True)]
        return rows

    def score_continuations(self, contexts: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Log-probability of texts as they are, spaces included, that may continue others.

        Args:
            contexts: texts; what they share is computed once.
            candidates: by context, what may follow it; none may add no token.

        Returns:
            By context, (candidates,) nats, by the chain rule over tokens.

        Raises:
            ValueError: a candidate that adds no token.
        """
        if not contexts:
            return []
        sequences, starts = encode_continuations(self.tokenizer, contexts, candidates)
        tokens = score_sequences(self.model, sequences, starts, self.meter, tree=self.states())
        totals = np.array([part.sum() for part in tokens])
        return np.split(totals, np.cumsum([len(row) for row in candidates])[:-1])

    def level_tokens(self, contexts: Sequence[str], levels: Sequence[Sequence[str]]) -> list[list[list[int]]]:
        """The token ids that are scored of each level after its context, one list of levels a context."""
        sequences, starts = self._encode(contexts, levels)
        tokens = iter([sequence[start:] for sequence, start in zip(sequences, starts, strict=True)])
        return [[next(tokens) for _ in row] for row in levels]

    def session(self, memory: int = MEMORY_BUDGET) -> ScoringSession:
        """Scoring that keeps key-value states from call to call, up to ``memory`` bytes; not to outlive a change of weights."""
        return ScoringSession(self, self.states(memory))

    def states(self, memory: int = MEMORY_BUDGET) -> StateTree:
        """An empty tree of key-value states.

        Raises:
            LanguageModelError: this model's states cannot be shared between texts.
        """
        self._shares  # noqa: B018 - asked once
        return StateTree(self.model, memory)

    @cached_property
    def _shares(self) -> bool:
        require_sharing(self.model)
        return True

    def _encode(self, contexts: Sequence[str], levels: Sequence[Sequence[str]]) -> tuple[list[list[int]], list[int]]:
        """Token ids of every context with each of its levels, and where each level starts."""
        joined = [
            [f" {level}" if context else level for level in row] for context, row in zip(contexts, levels, strict=True)
        ]
        return encode_continuations(self.tokenizer, contexts, joined)

    def chat_text(self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = True) -> str:
        """The conversation as one text, in the model's own chat format where it has one."""
        if self.tokenizer.chat_template:
            return str(
                self.tokenizer.apply_chat_template(
                    list(messages), tokenize=False, add_generation_prompt=add_generation_prompt
                )
            )
        lines = [f"{message['role']}: {message['content']}\n" for message in messages]
        return "".join(lines) + ("assistant:" if add_generation_prompt else "")

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has, special ones apart."""
        return len(self.tokenizer(text, add_special_tokens=False).input_ids)

    def generate(
        self,
        texts: Sequence[str],
        *,
        max_new_tokens: int = 128,
        temperature: float = 0.0,
        seed: int = 0,
        batch_size: int = 8,
        stop: Callable[[str], bool] | None = None,
    ) -> list[str]:
        """Continue each text freely; greedy at temperature 0, else sampled with the seed.

        Args:
            stop: is shown each new text as it grows, and ends it by saying so.

        Returns:
            The new text alone, one a text, without special tokens.
        """
        import torch

        tokenizer = self.tokenizer
        completions: list[str] = []
        sampling: dict[str, Any] = {"do_sample": temperature > 0}
        if temperature > 0:
            sampling["temperature"] = temperature
        for first in range(0, len(texts), batch_size):
            batch = tokenizer(
                list(texts[first : first + batch_size]),
                return_tensors="pt",
                padding=True,
                padding_side="left",
                add_special_tokens=False,
            ).to(self.model.device)
            if stop is not None:
                sampling["stopping_criteria"] = [self._ending(stop, batch.input_ids.shape[1])]
            with torch.inference_mode(), torch.random.fork_rng():
                torch.manual_seed(seed + first)
                output = self.model.generate(
                    **batch, max_new_tokens=max_new_tokens, pad_token_id=tokenizer.pad_token_id, **sampling
                )
            self.meter.count(int(output.numel()))
            completions += tokenizer.batch_decode(output[:, batch.input_ids.shape[1] :], skip_special_tokens=True)
        return completions

    def _ending(self, stop: Callable[[str], bool], start: int) -> Any:
        """A stopping criterion of transformers that shows ``stop`` the text after the first ``start`` tokens."""
        import torch
        from transformers import StoppingCriteria

        tokenizer = self.tokenizer

        class Ending(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                texts = tokenizer.batch_decode(input_ids[:, start:], skip_special_tokens=True)
                return torch.tensor([stop(text) for text in texts], device=input_ids.device)

        return Ending()


@dataclass(frozen=True)
class ScoringSession:
    """A model's ``score``, going on from the key-value states of the calls before.

    Attributes:
        lm: the model.
        tree: the states.
    """

    lm: LanguageModel
    tree: StateTree

    def score(self, contexts: Sequence[str], levels: Sequence[Sequence[str]], rule: Rule = "sum") -> list[np.ndarray]:
        """As :meth:`LanguageModel.score`."""
        return self.lm.score(contexts, levels, rule, tree=self.tree)

    def texts_held(self, text: str) -> int:
        """How many texts as long as this one the memory holds."""
        return self.tree.capacity // max(1, len(self.lm.tokenizer(text).input_ids))


def _settings_of(config: Any) -> str:
    """What a model's configuration says of its computation (such as rope scaling), without where it came from."""
    told = config.to_dict()
    for name in (
        "_name_or_path",
        "transformers_version",
        "dtype",
        "torch_dtype",
        "architectures",
        "quantization_config",
    ):
        told.pop(name, None)
    return json.dumps(told, sort_keys=True, default=str)


def _rules_of(tokenizer: Any) -> str:
    """How a tokenizer splits text; padding and truncation, which each call sets anew, are no part of it."""
    if not tokenizer.is_fast:
        return repr(tokenizer)
    rules = json.loads(tokenizer.backend_tokenizer.to_str()) | {"truncation": None, "padding": None}
    return json.dumps(rules, ensure_ascii=False, separators=(",", ":"))
