"""Supervised fine-tuning with LoRA (TRL, PEFT): the loss counts the completion alone; a killed run resumes.

Where held-out questions are read on the way, the adapter that read them best is kept, and training stops early once they
are read no better.

Source: LLM4Causal (arXiv 2312.17122) for rank and alpha; adapters here sit on all linear layers.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lm import LanguageModel, load_language_model
from lm.load import base_of
from lm.registry import ADAPTER_FILE, SHIPPED, shipped_adapter
from training.adapters import adapter_weights, linear_names, mix_in, put_adapter_into, save_adapter
from training.digests import code_digest, digest_of, folder_digest
from training.evaluations import Evaluations
from training.finished import forget_outcome, keep_outcome, outcome_of
from training.packing import Example, Pack, collated, features, packed, packs_digest, tokenised, visible
from training.recipe import SftRecipe
from training.shared_runs import Report, bfloat16_pays, last_checkpoint, told, turn_in

WORKERS = 4  # that lay out batches, where the model is not on the CPU itself

Evaluate = Callable[[LanguageModel], float]


class TrainingFault(RuntimeError):
    """Training that did not do its work: nothing changed, or the loss is no number."""


@dataclass(frozen=True)
class TrainedAdapter:
    """A finished run: where the adapter lies, and how training went."""

    folder: Path
    trainable_parameters: int
    examples: int
    tokens: int  # that went through the model, padding aside
    seconds: float  # of this process, evaluations included
    losses: list[tuple[int, float]]  # (step, training loss)
    scores: list[tuple[int, float]]  # (step, share of held-out questions read right)
    kept_step: int  # whose weights the adapter holds
    resumed_at: int  # step of the checkpoint it continued from, 0 for a run in one go


def train_adapter(
    examples: Sequence[Example],
    recipe: SftRecipe,
    folder: Path,
    *,
    evaluate: Evaluate | None = None,
    tracking: dict[str, str] | None = None,
    report: Report | None = None,
) -> TrainedAdapter:
    """Fine-tune a LoRA adapter on the examples.

    Args:
        examples: at least one; neighbours that share a beginning are packed together, packs are used in an order that
            depends on the seed alone.
        recipe: sizes and rates.
        folder: a working folder. Checkpoints in it are continued from when recipe and examples are the same; the finished
            adapter lies in ``folder/adapter``, and is not made again by the same run of the same code.
        evaluate: the share of held-out questions that a model reads right; asked ``recipe.evaluations`` times.
        tracking: environment for MLflow (``MLFLOW_TRACKING_URI``, ``MLFLOW_RUN_ID``); None logs nowhere.
        report: called with (step, steps, loss) now and then.

    Raises:
        ValueError: no examples, or one longer than ``recipe.most_tokens``.
        TrainingFault: no weight changed, or the loss became NaN.
    """
    if not examples:
        raise ValueError("train_adapter needs at least one example")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    base = load_language_model(recipe.base, dtype="float32")
    base_digest = base.digest  # before the adapter's modules are put into the model
    packs = packed([tokenised(base, example) for example in examples], recipe.pack, recipe.most_tokens)
    with turn_in(folder):
        trained = _train(base, base_digest, packs, recipe, folder, evaluate, tracking, report)
    gc.collect()  # the trainer's cycles hold the weights and their gradients
    return trained


def _train(
    base: LanguageModel,
    base_digest: str,
    packs: list[Pack],
    recipe: SftRecipe,
    folder: Path,
    evaluate: Evaluate | None,
    tracking: dict[str, str] | None,
    report: Report | None,
) -> TrainedAdapter:
    work = _working_folder(folder, recipe, base_digest, packs)
    run = f"{work.name}-{code_digest('training')}"
    if (known := outcome_of(folder, run)) is not None and (folder / "adapter" / ADAPTER_FILE).exists():
        shutil.rmtree(work, ignore_errors=True)
        losses, scores = ([(step, value) for step, value in known.pop(name)] for name in ("losses", "scores"))
        return TrainedAdapter(folder / "adapter", losses=losses, scores=scores, **known)
    trainer = _trainer(base, packs, recipe, work, tracking, report)
    if recipe.start == "shipped":
        _start_from_shipped(trainer.model, recipe)
    before = adapter_weights(trainer.model)
    checkpoint = last_checkpoint(work)
    resumed_at = int(checkpoint.name.split("-")[-1]) if checkpoint else 0
    evaluations = Evaluations(work / "best", recipe, resumed_at, trainer.model.save_pretrained)
    if evaluate is not None and recipe.evaluations:
        trainer.add_callback(evaluations.callback(evaluate, base))
    outcome = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    losses = [(int(line["step"]), float(line["loss"])) for line in trainer.state.log_history if "loss" in line]
    if not all(np.isfinite(loss) for _, loss in losses):
        raise TrainingFault("the training loss is not a number; lower the learning rate")
    evaluations.put_best_into(trainer.model)
    mix_in(trainer.model, before, recipe.share_of_start)
    after = adapter_weights(trainer.model)
    if not any(np.abs(after[name] - before[name]).max() > 0 for name in before):
        raise TrainingFault("training changed no adapter weight; is the adapter frozen?")
    forget_outcome(folder)
    adapter = save_adapter(trainer.model, base.name, base_digest, recipe, folder)
    steps = trainer.state.global_step
    trained = TrainedAdapter(
        folder=adapter,
        trainable_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        examples=sum(len(pack.branches) for pack in packs),
        tokens=int(np.mean([len(pack) for pack in packs]) * (steps - resumed_at) * recipe.batch_size),
        seconds=float(outcome.metrics["train_runtime"]),
        losses=losses,
        scores=evaluations.scores,
        kept_step=evaluations.best_step or steps,
        resumed_at=resumed_at,
    )
    keep_outcome(folder, run, {name: held for name, held in vars(trained).items() if name != "folder"})
    shutil.rmtree(work, ignore_errors=True)
    return trained


def _working_folder(folder: Path, recipe: SftRecipe, base_digest: str, packs: list[Pack]) -> Path:
    """The checkpoints' folder, named after all that the run depends on, so that only its own are ever continued."""
    begun = folder_digest(SHIPPED) if recipe.start == "shipped" and SHIPPED.exists() else None
    work = folder / f"work-{digest_of([recipe.model_dump(), base_digest, begun, packs_digest(packs)])}"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _trainer(
    base: LanguageModel,
    packs: list[Pack],
    recipe: SftRecipe,
    work: Path,
    tracking: dict[str, str] | None,
    report: Report | None,
) -> Any:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    class CountedTokensTrainer(SFTTrainer):
        """Puts only the tokens that count through the output layer: a third of a step's time on a CPU otherwise."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            inner = self.accelerator.unwrap_model(model).get_base_model()
            hidden = inner.get_decoder()(
                input_ids=inputs["input_ids"],
                position_ids=inputs["position_ids"],
                attention_mask=visible(inputs["branch"]),
                use_cache=False,
            ).last_hidden_state
            targets = inputs["labels"][:, 1:]  # what counts is never first in a branch, so the place before says it
            counted = targets != -100
            logits = inner.get_output_embeddings()(hidden[:, :-1][counted]).float()
            total = torch.nn.functional.cross_entropy(logits, targets[counted], reduction="sum")
            loss = total / (num_items_in_batch if num_items_in_batch is not None else counted.sum())
            return (loss, {"logits": logits}) if return_outputs else loss

    for name, value in (tracking or {}).items():
        os.environ[name] = value
    torch.manual_seed(recipe.seed)
    config = SFTConfig(
        output_dir=str(work),
        max_steps=recipe.steps,
        per_device_train_batch_size=min(recipe.micro_batch, recipe.batch_size),
        gradient_accumulation_steps=max(1, recipe.batch_size // recipe.micro_batch),
        train_sampling_strategy="group_by_length",  # less padding: a third of the tokens otherwise
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="linear",
        # the first step of a warm-up has a rate of 0, so one step at least must come after it
        warmup_steps=min(max(1, round(recipe.warmup_share * recipe.steps)), recipe.steps - 1),
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        packing=False,
        use_cpu=base.device == "cpu",
        bf16=recipe.autocast and bfloat16_pays(base.device),
        fp16=False,
        gradient_checkpointing=False,
        logging_steps=max(1, recipe.steps // 20),
        save_strategy="steps",
        save_steps=max(1, recipe.steps // recipe.checkpoints),
        save_total_limit=1,
        report_to=["mlflow"] if tracking else [],
        disable_tqdm=report is not None,
        seed=recipe.seed,
        data_seed=recipe.seed,
        dataloader_num_workers=0 if base.device == "cpu" else WORKERS,
        dataloader_pin_memory=base.device != "cpu",
    )
    layers = base.model.config.get_text_config().num_hidden_layers
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=linear_names(base.model),
        layers_to_transform=list(range(max(0, layers - (recipe.layers or layers)), layers)),
        task_type="CAUSAL_LM",
    )
    trainer = CountedTokensTrainer(
        model=base.model,
        args=config,
        train_dataset=Dataset.from_list([features(pack) for pack in packs]),
        processing_class=base.tokenizer,
        data_collator=collated,
        peft_config=lora,
        callbacks=[told(report)],
    )
    trainer.remove_callback(PrinterCallback)  # progress is told through `report`
    return trainer


def _start_from_shipped(model: Any, recipe: SftRecipe) -> None:
    shipped = shipped_adapter()
    if shipped is None:
        raise ValueError("start: shipped needs the adapter that comes with the project, and this copy has none")
    rank = json.loads((shipped / "adapter_config.json").read_text())["r"]
    if (base_of(shipped), rank) != (recipe.base, recipe.rank):
        raise ValueError(
            f"the shipped adapter has base {base_of(shipped)} and rank {rank}; the recipe has {recipe.base} and {recipe.rank}"
        )
    put_adapter_into(model, shipped)
