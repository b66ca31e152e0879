"""Tuning the judge of readings: the lists are what the search proposes, the loss is that of the chain rule, and it is learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from safetensors.torch import load_file

from causal_tools.prompts import parse_messages
from lm import load_language_model
from lm.pointer import SHIPPED_SECOND
from training.listwise import MOST_WRONG, Choice, Proposal, choices_of
from training.listwise_training import laid_out, list_loss, rows_of, tensors, train_judge
from training.packing import Example
from training.recipe import ListwiseRecipe, SftRecipe
from training.sft import train_adapter
from training.written import FOLDER, read_written

RECIPE = ListwiseRecipe(base="tiny", learning_rate=0.02, autocast=False, checkpoints=4)
COLUMNS = ("dose", "weight", "age")


def _choice(question: str, right: str, wrong: str) -> Choice:
    given = ((len("effect:"), len("effect: the pill")),)
    proposals = (
        Proposal(f"effect: the pill = dose on {wrong}.", given, -1.0, False),
        Proposal(f"effect: the pill = dose on {right}.", given, -2.0, True),
    )
    return Choice(tuple(parse_messages(question, COLUMNS)), proposals)


CHOICES = [
    _choice("What does the pill do to weight?", "weight", "age"),
    _choice("What does the pill do to age?", "age", "weight"),
]


@pytest.fixture(scope="module")
def tiny():
    return load_language_model("tiny", device="cpu")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    recipe = SftRecipe(base="tiny", steps=1, batch_size=1, rank=4, alpha=8, learning_rate=0.01, autocast=False)
    examples = [Example(choice.messages, choice.proposals[1].text) for choice in CHOICES]
    return train_adapter(examples, recipe, tmp_path_factory.mktemp("start")).folder


def _scores(model, choice: Choice) -> list[float]:
    """By the model's own scoring of texts, part by part."""
    prompt, found = model.chat_text(choice.messages), []
    for proposal in choice.proposals:
        ((begin, end),) = proposal.given
        parts = [(prompt, proposal.text[:begin]), (prompt + proposal.text[:end], proposal.text[end:])]
        scored = model.score_continuations([before for before, _ in parts], [[part] for _, part in parts])
        found.append(sum(float(row[0]) for row in scored))
    return found


def test_the_loss_is_that_of_the_choice_and_of_the_right_text(tiny):
    import torch

    row = laid_out(tiny, CHOICES)
    with torch.no_grad():
        loss = float(list_loss(tiny.model, tensors(row), RECIPE))
    lost, surprise = [], []
    for choice in CHOICES:
        wrong, right = (
            RECIPE.sharpness * score + RECIPE.hearing * proposal.score
            for score, proposal in zip(_scores(tiny, choice), choice.proposals, strict=True)
        )
        lost.append(math.log(math.exp(wrong) + math.exp(right)) - right)
        text = choice.proposals[1].text + tiny.tokenizer.eos_token
        ((whole,),) = tiny.score_continuations([tiny.chat_text(choice.messages)], [[text]])
        surprise.append((-float(whole), len(text.encode()) - len(tiny.tokenizer.eos_token) + 1))
    imitated = sum(nats for nats, _ in surprise) / sum(tokens for _, tokens in surprise)
    assert loss == pytest.approx(np.mean(lost) + RECIPE.imitation * imitated, rel=1e-4)


def test_questions_about_a_file_share_its_header(tiny):
    alone = [len(laid_out(tiny, [choice]).trie) for choice in CHOICES]
    shared = len(tiny.chat_text(CHOICES[0].messages).partition("Question")[0])
    assert len(laid_out(tiny, CHOICES).trie) <= sum(alone) - shared + 16  # marks of the chat format are one token each
    rows = rows_of(tiny, [CHOICES * 4], RECIPE)
    assert [int(row.choice.max()) + 1 for row in rows] == [6, 2]
    short = rows_of(tiny, [CHOICES * 4], RECIPE.model_copy(update={"most_tokens": 1}))
    assert [int(row.choice.max()) + 1 for row in short] == [1] * 8


def test_the_right_reading_becomes_the_likelier_one(start, tmp_path):
    before = load_language_model("tiny", adapter=str(start), device="cpu")
    adapter = train_judge([CHOICES] * 30, RECIPE, start, tmp_path)
    after = load_language_model("tiny", adapter=str(adapter), device="cpu")

    def lead(model) -> float:
        return min(right - wrong for wrong, right in (_scores(model, choice) for choice in CHOICES))

    assert lead(before) < 0.5 < lead(after)
    assert {path.name for path in tmp_path.iterdir()} == {"adapter", "training.lock"}  # no working files are left


def test_a_killed_run_ends_with_the_same_weights(start, tmp_path):
    files = [CHOICES, CHOICES[:1], CHOICES[1:]] * 4
    whole = load_file(train_judge(files, RECIPE, start, tmp_path / "whole") / "adapter_model.safetensors")

    class Killed(Exception):
        pass

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 8:
            raise Killed

    with pytest.raises(Killed):
        train_judge(files, RECIPE, start, tmp_path / "cut", kill)
    resumed: list[int] = []
    adapter = train_judge(files, RECIPE, start, tmp_path / "cut", lambda step, steps, loss: resumed.append(step))
    assert resumed[0] > 1
    again = load_file(adapter / "adapter_model.safetensors")
    assert all(bool((again[name] == held).all()) for name, held in whole.items())


def test_no_choices_are_refused(start, tmp_path):
    with pytest.raises(ValueError, match="at least one choice"):
        train_judge([[]], RECIPE, start, tmp_path)


def test_lists_hold_the_right_reading_and_the_nearest_wrong_ones():
    items = read_written(sorted(FOLDER.glob("*.yaml"))[0])[:12]
    found = choices_of(items, [SHIPPED_SECOND])
    assert len(found) == len(items)
    kept = [choice for choice in found if choice]
    assert kept
    for choice in kept:
        assert any(one.right for one in choice.proposals)
        assert 1 <= sum(not one.right for one in choice.proposals) <= MOST_WRONG
        for one in choice.proposals:
            assert all(one.text[begin:end].endswith(" =") for begin, end in one.given)
