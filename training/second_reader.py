"""Tuning the second reader: the bundled sentence encoder learns which task is asked and which column has which role.

All of its layers are tuned, and what has been learned is kept as a difference of low rank. So that little is lost by that, the
difference is cut down to this rank again and again in the last part of training, which goes on from what is left.

Source: Blumensath and Davies (2009), "Iterative hard thresholding for compressed sensing", for training with cuts.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from causal_tools.contract import CausalQuery
from causal_tools.reading_evidence import column_mentions
from causal_tools.second_reading import ALL, CONDITION, NODE, SLOTS, TASK_ROLES, item_text
from lm.pointer import Pointed, Pointer, cut_down, new_network, save_pointer
from training.digests import digest_of
from training.grammar.engine import FamilyTask
from training.queries import QueryItem, corpus_digest
from training.restyling import restyled
from training.sft import bfloat16_pays

TASKS = get_args(FamilyTask)
NAMES = {"classes": TASKS, "marks": (ALL,), "slots": SLOTS}
SORTED_AT_ONCE = 600  # questions of like length share a batch, within so many
NOT_COUNTED = -100


class SecondReaderRecipe(BaseModel):
    """Sizes and rates.

    Each question worded by hand is read ``repeats`` times, from the second time on over another header
    (:mod:`training.restyling`); each generated one once. ``batch_tokens`` is what a batch may hold, padding included. In the last
    ``cut_share`` of the steps the difference to the bundled encoder is cut down to ``rank`` ``cuts`` times.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: int = Field(default=6, gt=0)
    batch_tokens: int = Field(default=2600, ge=512)
    learning_rate: float = Field(default=3e-4, gt=0)
    head_learning_rate: float = Field(default=2e-3, gt=0)
    warmup_steps: int = Field(default=100, gt=0)
    rank: int = Field(default=24, gt=0)
    cut_share: float = Field(default=0.3, gt=0, lt=1)
    cuts: int = Field(default=10, gt=0)
    checkpoints: int = Field(default=6, gt=0)
    seed: int = 0


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
    report: Callable[[int, int, float], None] | None = None,
) -> TrainedReader:
    """Tune the reader on questions with their readings.

    Args:
        by_hand: used several times each.
        generated: used once each.
        recipe: sizes and rates.
        folder: a working folder. Checkpoints in it are continued from when recipe and questions are the same; the finished reader
            lies in ``folder/reader``.
        report: called with (step, steps, loss) now and then.

    Raises:
        ValueError: no questions.
    """
    import torch

    if not by_hand and not generated:
        raise ValueError("train_second_reader needs at least one question")
    torch.manual_seed(recipe.seed)
    network, tokenizer = new_network(len(TASKS), 1, len(SLOTS))
    network.encoder.embeddings.requires_grad_(False)
    batches = _batches(_rounds(by_hand, generated, recipe), tokenizer, recipe)
    work = folder / f"work-{digest_of([recipe.model_dump(), corpus_digest([*by_hand, *generated])])}"
    checkpoints = [path for path in work.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    last = max(checkpoints, key=lambda path: int(path.name.split("-")[-1]), default=None)
    trainer = _trainer(network, batches, recipe, work, report)
    outcome = trainer.train(resume_from_checkpoint=str(last) if last else None)
    save_pointer(network, NAMES, recipe.rank, folder / "reader")
    shutil.rmtree(work, ignore_errors=True)
    return TrainedReader(
        folder / "reader",
        sum(len(batch["task"]) for batch in batches),
        len(batches),
        float(outcome.metrics["train_runtime"]),
        [(int(line["step"]), float(line["loss"])) for line in trainer.state.log_history if "loss" in line],
        int(last.name.split("-")[-1]) if last else 0,
    )


def reader_matches(pointer: Pointer, items: Sequence[QueryItem]) -> pd.DataFrame:
    """What the reader gets right by itself: one line a question with its task, ``task_right``, and ``all_right``.

    All is right where the task and every column in a role, a condition or the graph is; it says nothing of operators and values.
    """
    found = pointer.read([(_plain(item), _shown(item)) for item in items])
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


def _plain(item: QueryItem) -> str:
    return " ".join(item.question.split())


def _shown(item: QueryItem) -> list[str]:
    return [item_text(column, item.levels.get(column, ())) for column in item.columns]


def _rounds(
    by_hand: Sequence[QueryItem], generated: Sequence[QueryItem], recipe: SecondReaderRecipe
) -> list[list[QueryItem]]:
    """The questions of each round: all by hand, over their own headers first and others later, and a part of the generated."""
    random = np.random.default_rng(recipe.seed)
    packs, others = _files(by_hand), _files(generated)
    parts = np.array_split(random.permutation(len(others)), recipe.repeats)
    rounds = []
    for number, part in enumerate(parts):
        items = [item for pack in packs for item in (restyled(pack, random) if number else pack)]
        for place in part:
            items += restyled(others[place], random) if random.random() < 0.5 else others[place]
        rounds.append(items)
    return rounds


def _files(items: Sequence[QueryItem]) -> list[list[QueryItem]]:
    found: dict[tuple[str, tuple[str, ...]], list[QueryItem]] = {}
    for item in items:
        found.setdefault((item.topic, item.columns), []).append(item)
    return list(found.values())


def _batches(rounds: Sequence[list[QueryItem]], tokenizer: Any, recipe: SecondReaderRecipe) -> list[dict[str, Any]]:
    """Batches in the order of training, as tensors: what the network reads, and what it should say."""
    random = np.random.default_rng(recipe.seed + 1)
    batches = []
    for items in rounds:
        rows = [_labelled(item, tokenizer) for item in items]
        order = random.permutation(len(rows))
        own = []
        for start in range(0, len(order), SORTED_AT_ONCE):
            part: list[Any] = []
            for number in sorted(order[start : start + SORTED_AT_ONCE], key=lambda n: len(rows[n][0].tokens)):
                if part and len(rows[number][0].tokens) * (len(part) + 1) > recipe.batch_tokens:
                    own.append(part)
                    part = []
                part.append(rows[number])
            own.append(part)
        batches += [_tensors(own[number]) for number in random.permutation(len(own))]
    return batches


def _labelled(item: QueryItem, tokenizer: Any) -> tuple[Any, int, np.ndarray, bool, np.ndarray]:
    """The row of tokens, the task, (columns, slots) roles, whether all columns are asked for, and (text tokens,) slots."""
    from lm.pointer_network import lay_out

    question = _plain(item)
    row = lay_out(tokenizer, question, _shown(item))
    roles = np.zeros((len(row.items), len(SLOTS)), dtype=np.float32)
    spoken = np.zeros(row.text_tokens, dtype=np.int64)
    spoken[[0, -1]] = NOT_COUNTED
    query = CausalQuery.model_validate(item.query) if item.query is not None else None
    if query is not None:
        place = {column: number for number, column in enumerate(item.columns[: len(row.items)])}
        pairs = [(role, getattr(query, role)) for role in TASK_ROLES]
        pairs += [(CONDITION, condition.column) for condition in query.conditions]
        pairs += [(NODE, column) for column in query.nodes or () if query.nodes != "all"]
        slots = {column: SLOTS.index(slot) for slot, column in pairs if column in place}
        for column, slot in slots.items():
            roles[place[column], slot] = 1
        said = [
            (m.start(), m.end(), c) for c, words in item.said.items() for m in re.finditer(re.escape(words), question)
        ]
        for start, end, column in [*column_mentions(question, item.columns), *said]:
            if column in slots:
                for token, (begin, stop) in enumerate(row.offsets):
                    if begin < end and start < stop:
                        spoken[token + 1] = slots[column] + 1
    return row, TASKS.index(item.task), roles, query is not None and query.nodes == "all", spoken


def _tensors(rows: Sequence[tuple[Any, int, np.ndarray, bool, np.ndarray]]) -> dict[str, Any]:
    import torch

    from lm.pointer_network import batch_of

    batch = batch_of([row for row, *_ in rows])
    roles = torch.zeros((*batch["there"].shape, len(SLOTS)))
    words = torch.full_like(batch["tokens"], NOT_COUNTED)
    for number, (_, _, own, _, spoken) in enumerate(rows):
        roles[number, : len(own)] = torch.from_numpy(own)
        words[number, : len(spoken)] = torch.from_numpy(spoken)
    labels = {
        "task": torch.tensor([task for _, task, *_ in rows]),
        "every": torch.tensor([float(every) for *_, every, _ in rows]),
    }
    return {**batch, **labels, "roles": roles, "words": words}


def reader_loss(network: Any, batch: dict[str, Any]) -> Any:
    """Mean negative log-likelihood of a question's task, roles, conditions and nodes, and of its words' roles."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as binary
    from torch.nn.functional import cross_entropy

    tasks, every, slots, words = network(batch)
    there, roles, task = batch["there"], batch["roles"], batch["task"]
    total = cross_entropy(tasks, task, reduction="sum")
    for number, _ in enumerate(TASK_ROLES):
        own = roles[..., number].sum(1) > 0
        shares = slots[own, :, number].masked_fill(~there[own], -torch.inf).log_softmax(-1)
        total = total - shares[roles[own, :, number] > 0].sum()
    graph = task == TASKS.index("CGL")
    asked_of = {CONDITION: ~graph & (task != TASKS.index("NONE")), NODE: graph & (batch["every"] == 0)}
    for slot, own in asked_of.items():
        number = SLOTS.index(slot)
        each = binary(slots[own, :, number], roles[own, :, number], reduction="none")
        total = total + each[there[own]].sum()
    total = total + binary(every[graph, 0], batch["every"][graph], reduction="sum")
    return total / len(task) + cross_entropy(words.flatten(0, 1), batch["words"].flatten(), ignore_index=NOT_COUNTED)


def _trainer(
    network: Any,
    batches: Sequence[dict[str, Any]],
    recipe: SecondReaderRecipe,
    work: Path,
    report: Callable[[int, int, float], None] | None,
) -> Any:
    import torch
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    first_cut = round(len(batches) * (1 - recipe.cut_share))
    every = max(1, (len(batches) - first_cut) // recipe.cuts)

    class Watch(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if report is not None and logs and "loss" in logs:
                report(state.global_step, state.max_steps, float(logs["loss"]))

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step >= first_cut and (state.global_step - first_cut) % every == 0:
                cut_down(network, recipe.rank)

    class ReaderTrainer(Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            return reader_loss(model, inputs)

        def create_optimizer(self, model: Any = None) -> Any:
            heads: list[Any] = []
            body: list[Any] = []
            for name, weight in self.model.named_parameters():
                if weight.requires_grad:
                    (body if name.startswith("encoder.") else heads).append(weight)
            groups = [{"params": body}, {"params": heads, "lr": recipe.head_learning_rate}]
            self.optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.01)
            return self.optimizer

        def _get_train_sampler(self, *_: Any) -> Any:
            return torch.utils.data.SequentialSampler(batches)

    settings = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=1,
        per_device_train_batch_size=1,  # of batches that are laid out already
        lr_scheduler_type="cosine",
        warmup_steps=min(recipe.warmup_steps, max(1, len(batches) // 10)),
        logging_steps=max(1, len(batches) // 40),
        save_steps=max(1, len(batches) // recipe.checkpoints),
        save_total_limit=1,
        remove_unused_columns=False,
        use_cpu=True,
        bf16=bfloat16_pays("cpu"),
        report_to=[],
        disable_tqdm=report is not None,
        seed=recipe.seed,
        data_seed=recipe.seed,
    )
    trainer = ReaderTrainer(
        model=network,
        args=settings,
        train_dataset=batches,
        data_collator=lambda rows: rows[0],
        callbacks=[Watch()],
    )
    trainer.remove_callback(PrinterCallback)  # progress is told through `report`
    return trainer
