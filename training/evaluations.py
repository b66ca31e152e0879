"""Held-out scores on the way of a training run: the best adapter is kept, and a run that no longer improves is ended."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lm import LanguageModel
from training.recipe import SftRecipe


class Evaluations:
    """The scores of a run, and the adapter that has the best; both lie beside its checkpoints, so a resumed run knows them.

    Attributes:
        scores: (step, score), in order.
    """

    def __init__(self, folder: Path, recipe: SftRecipe, resumed_at: int, save: Callable[[str], object]) -> None:
        self._folder, self._recipe, self._save = folder, recipe, save
        self._record = folder / "scores.json"
        known = json.loads(self._record.read_text()) if self._record.exists() else []
        self.scores: list[tuple[int, float]] = [(step, score) for step, score in known if step <= resumed_at]

    @property
    def best_step(self) -> int | None:
        """The first step of the best score; None without any."""
        return max(self.scores, key=lambda pair: (pair[1], -pair[0]))[0] if self.scores else None

    def callback(self, evaluate: Callable[[LanguageModel], float], base: LanguageModel) -> Any:
        """A callback of the trainer that asks for the score every so many steps."""
        from transformers import TrainerCallback

        every = max(1, self._recipe.steps // self._recipe.evaluations)
        outer = self

        class Evaluating(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> Any:
                if state.global_step % every == 0 and model is not None:
                    control.should_training_stop = outer._score(state.global_step, model, evaluate, base)
                return control

        return Evaluating()

    def _score(self, step: int, model: Any, evaluate: Callable[[LanguageModel], float], base: LanguageModel) -> bool:
        """Score the weights as they are; returns whether to stop."""
        model.eval()
        try:
            score = float(evaluate(LanguageModel(base.name, model, base.tokenizer)))
        finally:
            model.train()
        self.scores = [*(pair for pair in self.scores if pair[0] < step), (step, score)]
        if self.best_step == step:
            self._save(str(self._folder / f"{step}"))
        self._folder.mkdir(parents=True, exist_ok=True)
        scratch = self._record.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(self.scores))
        scratch.rename(self._record)
        since = sum(1 for other, _ in self.scores if other > (self.best_step or 0))
        return since >= self._recipe.patience

    def put_best_into(self, model: Any) -> None:
        """Give the model the weights of the best score; without scores they stay as they are."""
        if self.best_step is None:
            return
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        set_peft_model_state_dict(model, load_file(self._folder / f"{self.best_step}" / "adapter_model.safetensors"))
