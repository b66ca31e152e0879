"""Supervised fine-tuning with LoRA (TRL, PEFT): the loss counts the completion alone; a killed run resumes.

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
from pydantic import BaseModel, ConfigDict, Field

from lm import LanguageModel, load_language_model
from lm.load import BASE_NOTE
from training.digests import digest_of


class TrainingFault(RuntimeError):
    """Training that did not do its work: nothing changed, or the loss is no number."""


class SftRecipe(BaseModel):
    """What a fine-tuning run depends on, beside its examples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str = "smollm2-135m"
    steps: int = Field(gt=0)
    batch_size: int = Field(default=8, gt=0)
    micro_batch: int = Field(default=2, gt=0)  # examples in memory at once; gradients add up to the batch
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    most_tokens: int = Field(default=768, gt=0)
    checkpoints: int = Field(default=4, gt=0)
    autocast: bool = True
    seed: int = 0


@dataclass(frozen=True)
class TrainedAdapter:
    """A finished run: where the adapter lies, and how training went."""

    folder: Path
    trainable_parameters: int
    examples: int
    tokens: int
    seconds: float
    losses: list[tuple[int, float]]  # (step, training loss)
    resumed_at: int  # step of the checkpoint it continued from, 0 for a run in one go


@dataclass(frozen=True)
class Example:
    """One conversation and the completion wanted of the model.

    ``spans`` are the parts of the completion that count in the loss, as (start, end) in characters; None counts all of it.
    """

    messages: tuple[dict[str, str], ...]
    completion: str
    spans: tuple[tuple[int, int], ...] | None = None


def train_adapter(
    examples: Sequence[Example],
    recipe: SftRecipe,
    folder: Path,
    *,
    tracking: dict[str, str] | None = None,
    report: Callable[[int, int, float], None] | None = None,
) -> TrainedAdapter:
    """Fine-tune a LoRA adapter on the examples.

    Args:
        examples: at least one; used in an order that depends on the seed alone.
        recipe: sizes and rates.
        folder: a working folder. Checkpoints in it are continued from when recipe and examples are the same; the finished
            adapter lies in ``folder/adapter``.
        tracking: environment for MLflow (``MLFLOW_TRACKING_URI``, ``MLFLOW_RUN_ID``); None logs nowhere.
        report: called with (step, steps, loss) now and then.

    Raises:
        ValueError: no examples, or one longer than ``recipe.most_tokens``.
        TrainingFault: no weight changed, or the loss became NaN.
    """
    if not examples:
        raise ValueError("train_adapter needs at least one example")
    from filelock import FileLock

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    base = load_language_model(recipe.base, dtype="float32")
    base_digest = base.digest  # before the adapter's modules are put into the model
    rows = [tokenised(base, example) for example in examples]
    lengths = [len(row["input_ids"]) for row in rows]
    if max(lengths) > recipe.most_tokens:
        raise ValueError(
            f"an example has {max(lengths)} tokens, more than most_tokens={recipe.most_tokens}; it would be cut off silently"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "training.lock"):  # two runs at once take turns: their checkpoints lie in the same place
        trained = _train(base, base_digest, rows, recipe, folder, tracking, report)
    gc.collect()  # the trainer's cycles hold the weights and their gradients
    return trained


def _train(
    base: LanguageModel,
    base_digest: str,
    rows: list[dict[str, list[int]]],
    recipe: SftRecipe,
    folder: Path,
    tracking: dict[str, str] | None,
    report: Callable[[int, int, float], None] | None,
) -> TrainedAdapter:
    work = _working_folder(folder, recipe, rows)
    trainer = _trainer(base, rows, recipe, work, tracking, report)
    before = _adapter_weights(trainer.model)
    checkpoint = _last_checkpoint(work)
    outcome = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    after = _adapter_weights(trainer.model)
    losses = [(int(line["step"]), float(line["loss"])) for line in trainer.state.log_history if "loss" in line]
    if not all(np.isfinite(loss) for _, loss in losses):
        raise TrainingFault("the training loss is not a number; lower the learning rate")
    if not any(np.abs(after[name] - before[name]).max() > 0 for name in before):
        raise TrainingFault("training changed no adapter weight; is the adapter frozen?")
    adapter = _save(trainer.model, base.name, base_digest, recipe, folder)
    shutil.rmtree(work, ignore_errors=True)
    per_example = float(np.mean([len(row["input_ids"]) for row in rows]))
    return TrainedAdapter(
        folder=adapter,
        trainable_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        examples=len(rows),
        tokens=int(per_example * recipe.steps * recipe.batch_size),
        seconds=float(outcome.metrics["train_runtime"]),
        losses=losses,
        resumed_at=int(checkpoint.name.split("-")[-1]) if checkpoint else 0,
    )


def tokenised(base: LanguageModel, example: Example) -> dict[str, list[int]]:
    """Tokens of prompt, completion and end of text, and which of them count in the loss (``completion_mask``)."""
    prompt = base.chat_text(example.messages)
    text = prompt + example.completion + base.tokenizer.eos_token
    spans = example.spans if example.spans is not None else ((0, len(text) - len(prompt)),)
    encoded = base.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    counted = [
        int(any(start < last + len(prompt) and end > first + len(prompt) for first, last in spans))
        for start, end in encoded.offset_mapping
    ]
    return {"input_ids": list(encoded.input_ids), "completion_mask": counted}


def _working_folder(folder: Path, recipe: SftRecipe, rows: list[dict[str, list[int]]]) -> Path:
    """The checkpoints' folder, named after all that the run depends on, so that only its own are ever continued."""
    work = folder / f"work-{digest_of([recipe.model_dump(), rows])}"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _trainer(
    base: LanguageModel,
    rows: list[dict[str, list[int]]],
    recipe: SftRecipe,
    work: Path,
    tracking: dict[str, str] | None,
    report: Callable[[int, int, float], None] | None,
) -> Any:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Report(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if report is not None and logs and "loss" in logs:
                report(state.global_step, state.max_steps, float(logs["loss"]))

    class CountedTokensTrainer(SFTTrainer):
        """Puts only the tokens that count through the output layer: a third of a step's time on a CPU otherwise."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            inner = self.accelerator.unwrap_model(model).get_base_model()
            hidden = inner.get_decoder()(
                input_ids=inputs["input_ids"], attention_mask=inputs.get("attention_mask"), use_cache=False
            ).last_hidden_state
            targets = inputs["labels"][:, 1:]
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
        max_length=recipe.most_tokens,
        completion_only_loss=True,
        packing=False,
        use_cpu=base.device == "cpu",
        bf16=recipe.autocast and _bfloat16_pays(base.device),
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
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
    )
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    trainer = CountedTokensTrainer(
        model=base.model,
        args=config,
        train_dataset=Dataset.from_list(rows),
        processing_class=base.tokenizer,
        peft_config=lora,
        callbacks=[Report()],
    )
    trainer.remove_callback(PrinterCallback)  # progress is told through `report`
    return trainer


def _bfloat16_pays(device: str) -> bool:
    """Whether bfloat16 products are quick here: on a CPU without AVX-512 they are a hundred times slower than float32."""
    import torch

    return device != "cpu" or torch.backends.cpu.get_cpu_capability() in ("AVX512", "AVX512_VNNI", "AMX")


def _adapter_weights(model: Any) -> dict[str, np.ndarray]:
    return {name: p.detach().float().cpu().numpy().copy() for name, p in model.named_parameters() if p.requires_grad}


def _last_checkpoint(work: Path) -> Path | None:
    """The newest checkpoint that is whole (its trainer state, written last, is there)."""
    found = [path for path in work.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    return max(found, key=lambda path: int(path.name.split("-")[-1]), default=None)


def _save(model: Any, base: str, base_digest: str, recipe: SftRecipe, folder: Path) -> Path:
    """Write the adapter beside its place, then rename: it is there whole or not at all."""
    target, scratch = folder / "adapter", folder / f"adapter.{os.getpid()}"
    model.save_pretrained(str(scratch))
    (scratch / BASE_NOTE).write_text(
        json.dumps({"base": base, "base_digest": base_digest, "recipe": recipe.model_dump()})
    )
    if target.exists():
        target.rename(retired := folder / f"adapter.{os.getpid()}.old")
        scratch.rename(target)
        shutil.rmtree(retired)
    else:
        scratch.rename(target)
    return target
