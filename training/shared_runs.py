"""Runs that several processes may share (``torchrun``), over batches that are laid out already and taken in their order."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

KEPT_SECONDS = 14 * 86_400  # what a killed run left, for the same run to go on from

Report = Callable[[int, int, float], None]  # step, steps, loss


def processes() -> int:
    """How many share this run out among them, as ``torchrun`` says; each reads a part of the batches."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def turn_in(folder: Path) -> Iterator[None]:
    """Two runs at once take turns in a working folder: their checkpoints would lie in the same place. Of the processes that share
    a run, the first one waits for all.

    Who is done clears away what killed runs have left there, where none has gone on with it for weeks.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    first = os.environ.get("RANK", "0") == "0"
    with FileLock(folder / "training.lock") if first else nullcontext():
        yield
        if first:
            _clear_away(folder)


def _clear_away(folder: Path) -> None:
    """Each night may have another corpus, and what a killed run left of the last one is never asked for again."""
    for left in (*folder.glob("work-*"), *folder.glob("adapter.*")):
        if time.time() - left.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def last_checkpoint(work: Path) -> Path | None:
    """The newest checkpoint that is whole (its trainer state, written last, is there)."""
    found = [path for path in work.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    return max(found, key=lambda path: int(path.name.split("-")[-1]), default=None)


def bfloat16_pays(device: str) -> bool:
    """Whether bfloat16 products are quick here: on a CPU without AVX-512 they are a hundred times slower than float32."""
    import torch

    return device != "cpu" or torch.backends.cpu.get_cpu_capability() in ("AVX512", "AVX512_VNNI", "AMX")


def told(report: Report | None) -> Any:
    """A callback of the trainer that reports the losses that are logged, once for all processes."""
    from transformers import TrainerCallback

    class Told(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if report is not None and state.is_world_process_zero and logs and "loss" in logs:
                report(state.global_step, state.max_steps, float(logs["loss"]))

    return Told()


def steps_of(batches: Sequence[Any], batches_of_step: int = 1) -> int:
    """How many steps a run over the batches has, where each process takes so many in one."""
    return math.ceil(len(batches) / (processes() * batches_of_step))


def settings(
    work: Path,
    steps: int,
    *,
    learning_rate: float,
    warmup_steps: int,
    checkpoints: int,
    seed: int,
    autocast: bool = True,
    batches_of_step: int = 1,
    quiet: bool = False,
    unused_weights: bool = False,
) -> Any:
    """Arguments of a trainer on the CPU: once through the batches, the rate on a cosine, ``checkpoints`` on the way.

    Args:
        work: where checkpoints go.
        steps: of the run.
        quiet: without the trainer's own progress bar.
        unused_weights: that some batches leave some weights unused.
    """
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=batches_of_step,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=warmup_steps,
        logging_steps=max(1, steps // 40),
        save_steps=max(1, steps // checkpoints),
        save_total_limit=1,
        remove_unused_columns=False,
        use_cpu=True,
        ddp_backend="gloo" if processes() > 1 else None,
        ddp_find_unused_parameters=unused_weights,
        bf16=autocast and bfloat16_pays("cpu"),
        report_to=[],
        disable_tqdm=quiet,
        seed=seed,
        data_seed=seed,
    )


def in_order(
    network: Any,
    batches: Sequence[Any],
    arguments: Any,
    loss: Callable[[Any, Any], Any],
    callbacks: Sequence[Any],
    optimizer: Any = None,
) -> Any:
    """A trainer that takes the batches as they stand; ``loss`` is called with (network, batch)."""
    import torch
    from transformers import PrinterCallback, Trainer

    class InOrder(Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            return loss(model, inputs)

        def _get_train_sampler(self, *_: Any) -> Any:
            return torch.utils.data.SequentialSampler(batches)

    trainer = InOrder(
        model=network,
        args=arguments,
        train_dataset=batches,
        data_collator=lambda rows: rows[0],
        callbacks=list(callbacks),
        optimizers=(optimizer, None),
    )
    trainer.remove_callback(PrinterCallback)  # progress is told through a report
    return trainer
