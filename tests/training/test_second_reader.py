"""Tuning the second reader: what its loss counts, that it learns, and that a killed run ends with the same weights."""

from __future__ import annotations

import math

import pytest
import torch

from lm.pointer import load_pointer, new_network
from training.second_reader import (
    TASKS,
    SecondReaderRecipe,
    _labelled,
    _tensors,
    reader_loss,
    reader_matches,
    train_second_reader,
)
from training.test_sets import load_test_set
from training.written import FOLDER, read_written

WRITTEN = read_written(sorted(FOLDER.glob("*.yaml"))[0])
ITEMS = [item for item in WRITTEN if item.topic == WRITTEN[0].topic]
SMALL = SecondReaderRecipe(repeats=12, batch_tokens=512, warmup_steps=1, rank=4, cuts=1, checkpoints=3)


class Indifferent(torch.nn.Module):
    """Stands where a network would, and finds everything equally likely."""

    def forward(self, batch):
        rows, items = batch["there"].shape
        tokens = batch["tokens"].shape[1]
        return (
            torch.zeros(rows, len(TASKS)),
            torch.zeros(rows, 1),
            torch.zeros(rows, items, 5),
            torch.zeros(rows, tokens, 6),
        )


def test_the_loss_of_knowing_nothing_is_counted_by_hand():
    """One question of nine columns: six tasks; of an average effect two roles of nine columns and nine conditions that may be or
    not; of a graph nine nodes and whether all. Words: six slots each."""
    _, tokenizer = new_network(6, 1, 5)
    by_task = {item.task: item for item in reversed(ITEMS)}
    columns = len(ITEMS[0].columns)
    expected = {
        "ATE": math.log(6) + 2 * math.log(columns) + columns * math.log(2),
        "MA": math.log(6) + 3 * math.log(columns) + columns * math.log(2),
        "CGL": math.log(6) + (columns + 1) * math.log(2),
        "NONE": math.log(6),
    }
    for task, loss in expected.items():
        found = reader_loss(Indifferent(), _tensors([_labelled(by_task[task], tokenizer)]))
        assert float(found) == pytest.approx(loss + math.log(6), rel=1e-5), task


def test_words_of_the_question_are_marked_with_the_role_of_their_column():
    _, tokenizer = new_network(6, 1, 5)
    item = next(item for item in ITEMS if item.task == "HTE" and item.said)
    row, _, roles, every, spoken = _labelled(item, tokenizer)
    assert roles.sum() == len(item.query["conditions"]) + 2
    assert not every
    question = " ".join(item.question.split())
    column, words = next(iter(item.said.items()))
    slot = int(roles[item.columns.index(column)].argmax()) + 1
    marked = [question[slice(*row.offsets[n - 1])] for n in range(1, row.text_tokens - 1) if spoken[n] == slot]
    assert set(words.casefold().split()) <= set(" ".join(marked).casefold().split()) | set(words.casefold().split("-"))


def test_it_learns_and_a_killed_run_ends_with_the_same_weights(tmp_path):
    losses = []
    whole = train_second_reader(ITEMS, [], SMALL, tmp_path / "whole", lambda *at: losses.append(at))
    assert whole.losses[-1][1] < 0.7 * whole.losses[0][1]

    def kill(step: int, steps: int, loss: float) -> None:
        if step > steps / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_second_reader(ITEMS, [], SMALL, tmp_path / "killed", kill)
    resumed = train_second_reader(ITEMS, [], SMALL, tmp_path / "killed")
    assert resumed.resumed_at > 0
    ours, theirs = ((one.folder / "pointer.safetensors").read_bytes() for one in (whole, resumed))
    assert ours == theirs


def test_without_questions_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(ValueError, match="at least one question"):
        train_second_reader([], [], SMALL, tmp_path)


def test_the_shipped_reader_reads_development_questions_by_itself():
    """Majority reads a sixth of the tasks, and no roles."""
    from lm.pointer import SHIPPED_POINTER

    found = reader_matches(load_pointer(SHIPPED_POINTER), load_test_set("development"))
    assert found["task_right"].mean() > 0.8
    assert found["all_right"].mean() > 0.4
