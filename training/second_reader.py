"""Tuning the second readers: a bundled encoder learns which task is asked and which column has which role.

All layers of the sentence encoder are tuned, and those of the language model from which the mask is taken; what has been learned
is kept as a difference of low rank. So that little is lost by that, the difference is cut down to this rank again and again in
the last part of training, which goes on from what is left. Several processes share a run where ``torchrun`` started them.

Source: Blumensath and Davies (2009), "Iterative hard thresholding for compressed sensing", for training with cuts.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causal_tools.columns_shown import items_of
from causal_tools.contract import CausalQuery
from causal_tools.second_reading import ALL, CONDITION, NODE, TASK_ROLES
from lm.pointer import WEIGHTS, Pointed, Pointer
from training.digests import digest_of
from training.finished import forget_outcome, keep_outcome, outcome_of
from training.queries import QueryItem
from training.reader_labels import NAMES, labelled, plain_question, reader_loss, tensors
from training.recipe import SecondReaderRecipe
from training.restyling import restyled
from training.sft import TrainingFault
from training.shared_runs import (
    Report,
    bfloat16_pays,
    in_order,
    last_checkpoint,
    processes,
    settings,
    steps_of,
    told,
    turn_in,
)

SORTED_AT_ONCE = 600  # questions of like length share a batch, within so many


@dataclass(frozen=True)
class TrainedReader:
    """A finished run: where the reader lies, and how training went."""

    folder: Path
    questions: int
    steps: int
    seconds: float
    losses: list[tuple[int, float]]
    resumed_at: int


def train_second_reader(
    by_hand: Sequence[QueryItem],
    generated: Sequence[QueryItem],
    recipe: SecondReaderRecipe,
    folder: Path,
    report: Report | None = None,
    start: Path | None = None,
    adapter: Path | None = None,
) -> TrainedReader:
    """Tune the reader on questions with their readings.

    Args:
        by_hand: used several times each.
        generated: used once each.
        recipe: sizes and rates.
        folder: a working folder. Checkpoints in it are continued from when recipe, questions and number of processes are
            the same; the finished reader lies in ``folder/reader``, and is not made again by the same run.
        report: called with (step, steps, loss) now and then.
        start: folder of an earlier reader to go on from; by default the bundled encoder.
        adapter: folder of a LoRA adapter that the language model begins with, where there is no earlier reader.

    Raises:
        ValueError: no questions, or a reader to go on from whose encoder is another one than the recipe's.
        TrainingFault: the weights are no numbers any more.
    """
    if not by_hand and not generated:
        raise ValueError("train_second_reader needs at least one question")
    with turn_in(folder):
        return _train(by_hand, generated, recipe, folder, report, start, adapter)


def _train(
    by_hand: Sequence[QueryItem],
    generated: Sequence[QueryItem],
    recipe: SecondReaderRecipe,
    folder: Path,
    report: Report | None,
    start: Path | None,
    adapter: Path | None,
) -> TrainedReader:
    import torch

    from lm.pointer_weights import network_of, new_network, save_pointer

    first = start / WEIGHTS if start else adapter / "adapter_model.safetensors" if adapter else None
    begun = hashlib.sha256(first.read_bytes()).hexdigest() if first else None
    asked = [item.model_dump(mode="json") for item in (*by_hand, *generated)]
    identity = [recipe.model_dump(), asked, begun, processes()]
    work = folder / f"work-{digest_of(identity)}"
    outcome = outcome_of(folder, work.name)
    if outcome is not None and (folder / "reader" / WEIGHTS).exists():
        losses = [(step, loss) for step, loss in outcome.pop("losses")]
        return TrainedReader(folder / "reader", losses=losses, **outcome)
    torch.manual_seed(recipe.seed)
    network, form = network_of(start)[:2] if start else new_network(NAMES, recipe.encoder, adapter)
    if network.made_of != recipe.encoder:
        raise ValueError(
            f"{start} holds a reader by the encoder {network.made_of!r}; the recipe wants {recipe.encoder!r}"
        )
    _freeze(network)
    exact = _in_bfloat16(network) if bfloat16_pays("cpu") else {}
    if recipe.compiled:
        _compile(network)
    rounds = _rounds(by_hand, generated, recipe, restyle=start is not None)
    batches = _batches(rounds, form, recipe)[: recipe.most_steps]
    last = last_checkpoint(work)
    trainer = _trainer(network, batches, recipe, work, report)
    trained_by = trainer.train(resume_from_checkpoint=str(last) if last else None)
    if not all(bool(weight.isfinite().all()) for weight in network.parameters()):
        raise TrainingFault(f"the weights are no numbers any more; try a rate below {recipe.learning_rate}")
    trained = TrainedReader(
        folder / "reader",
        sum(len(batch["task"]) for batch in batches),
        int(trainer.state.max_steps),
        float(trained_by.metrics["train_runtime"]),
        [(int(line["step"]), float(line["loss"])) for line in trainer.state.log_history if "loss" in line],
        int(last.name.split("-")[-1]) if last else 0,
    )
    for name, weight in exact.items():
        network.get_parameter(name).data = weight
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        forget_outcome(folder)
        save_pointer(network, NAMES, recipe.rank, trained.folder)
        kept = {name: held for name, held in asdict(trained).items() if name != "folder"}
        keep_outcome(folder, work.name, kept)
        shutil.rmtree(work, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return trained


def _freeze(network: Any) -> None:
    """Names stay as they are known, and so do the layers of a language model that keep their mask."""
    encoder = network.encoder
    if network.made_of == "sentences":
        encoder.embeddings.requires_grad_(False)
    else:
        encoder.model.embed_tokens.requires_grad_(False)
        encoder.model.layers[: encoder.masked].requires_grad_(False)


def _in_bfloat16(network: Any) -> dict[str, Any]:
    """Hold the matrices that are not tuned as autocast would cast them anew in every pass; returns them as they were."""
    import torch

    exact = {
        f"{of}.weight": layer.weight.data
        for of, layer in network.named_modules()
        if isinstance(layer, torch.nn.Linear) and not layer.weight.requires_grad
    }
    for name, weight in exact.items():
        network.get_parameter(name).data = weight.bfloat16()
    return exact


def _compile(network: Any) -> None:
    """Have the layers of a language model translated for this machine, for rows of any length."""
    import torch

    for layer in network.encoder.model.layers:
        layer.forward = torch.compile(layer.forward, dynamic=True)


def reader_matches(pointer: Pointer, items: Sequence[QueryItem]) -> pd.DataFrame:
    """What the reader gets right by itself: one line a question with its task, ``task_right``, and ``all_right``.

    All is right where the task and every column in a role, a condition or the graph is; it says nothing of operators and values.
    """
    found = pointer.read(
        [(plain_question(item), items_of(plain_question(item), item.columns, item.levels)) for item in items]
    )
    lines = [(item.id, item.task, *_right(item, pointed)) for item, pointed in zip(items, found, strict=True)]
    return pd.DataFrame(lines, columns=["id", "task", "task_right", "all_right"])


def _right(item: QueryItem, found: Pointed) -> tuple[bool, bool]:
    if max(found.classes, key=lambda name: found.classes[name]) != item.task:
        return False, False
    if item.query is None:
        return True, True
    query, columns = CausalQuery.model_validate(item.query), np.array(item.columns)

    def chosen(slot: str) -> set[str]:
        return set(columns[found.slots[slot] > 0])

    if query.nodes is not None:
        every = found.marks[ALL] > 0
        return True, every if query.nodes == "all" else not every and chosen(NODE) == set(query.nodes)
    roles = [(role, getattr(query, role)) for role in TASK_ROLES if getattr(query, role)]
    right = all(columns[int(np.argmax(found.slots[role]))] == column for role, column in roles)
    conditions = {condition.column for condition in query.conditions}
    return True, right and chosen(CONDITION) == conditions


def _rounds(
    by_hand: Sequence[QueryItem], generated: Sequence[QueryItem], recipe: SecondReaderRecipe, restyle: bool
) -> list[list[QueryItem]]:
    """The questions of each round: all by hand, over their own headers first (unless ``restyle``) and others later, and a part of
    the generated."""
    random = np.random.default_rng(recipe.seed)
    packs, others = files_of(by_hand), files_of(generated)
    parts = np.array_split(random.permutation(len(others)), recipe.repeats)
    rounds = []
    for number, part in enumerate(parts):
        items = [item for pack in packs for item in (restyled(pack, random) if number or restyle else pack)]
        for place in part:
            items += restyled(others[place], random) if random.random() < 0.5 else others[place]
        rounds.append(items)
    return rounds


def files_of(items: Sequence[QueryItem]) -> list[list[QueryItem]]:
    """Questions by the file that they are asked about."""
    found: dict[tuple[str, tuple[str, ...]], list[QueryItem]] = {}
    for item in items:
        found.setdefault((item.topic, item.columns), []).append(item)
    return list(found.values())


def _batches(rounds: Sequence[list[QueryItem]], form: Any, recipe: SecondReaderRecipe) -> list[dict[str, Any]]:
    """Batches in the order of training, as tensors: what the network reads, and what it should say."""
    random = np.random.default_rng(recipe.seed + 1)
    batches = []
    for items in rounds:
        rows = [labelled(item, form) for item in items]
        order = random.permutation(len(rows))
        own = []
        for start in range(0, len(order), SORTED_AT_ONCE):
            part: list[Any] = []
            for number in sorted(order[start : start + SORTED_AT_ONCE], key=lambda n: len(rows[n].row.tokens)):
                if part and len(rows[number].row.tokens) * (len(part) + 1) > recipe.batch_tokens:
                    own.append(part)
                    part = []
                part.append(rows[number])
            own.append(part)
        batches += [tensors(own[number]) for number in random.permutation(len(own))]
    return batches


def _trainer(
    network: Any,
    batches: Sequence[dict[str, Any]],
    recipe: SecondReaderRecipe,
    work: Path,
    report: Report | None,
) -> Any:
    import torch
    from transformers import TrainerCallback

    from lm.pointer_weights import cut_down

    steps = steps_of(batches)
    first_cut = round(steps * (1 - recipe.cut_share))
    every = max(1, math.ceil((steps - first_cut) / recipe.cuts))

    class Cuts(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step >= first_cut and (state.global_step - first_cut) % every == 0:
                cut_down(network, recipe.rank)

    heads: list[Any] = []
    body: list[Any] = []
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            (body if name.startswith("encoder.") else heads).append(weight)
    groups = [{"params": body}, {"params": heads, "lr": recipe.head_learning_rate}]
    arguments = settings(
        work,
        steps,
        learning_rate=recipe.learning_rate,
        warmup_steps=min(recipe.warmup_steps, max(1, steps // 10)),
        checkpoints=recipe.checkpoints,
        seed=recipe.seed,
        quiet=report is not None,
        unused_weights=True,  # the head of options, where a batch has none
    )
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.01)
    return in_order(network, batches, arguments, reader_loss, [told(report), Cuts()], optimizer)
