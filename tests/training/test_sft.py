"""Fine-tuning on the tiny model: weights change, a killed run goes on to the same adapter, faults are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.torch import load_file

from lm import load_language_model
from training.packing import Example, tokenised
from training.recipe import SftRecipe
from training.sft import train_adapter

RECIPE = SftRecipe(
    base="tiny", steps=6, batch_size=2, checkpoints=6, rank=2, alpha=4, learning_rate=0.02, autocast=False
)
EXAMPLES = [
    Example(({"role": "user", "content": f"Question {i}?"},), f"{word}.")
    for i, word in enumerate(["effect", "graph", "none", "effect", "action", "mediation", "graph"])
]


def _weights(folder) -> dict[str, np.ndarray]:
    stored = load_file(folder / "adapter_model.safetensors")
    return {name: weight.float().numpy() for name, weight in stored.items()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_adapter(EXAMPLES, RECIPE, tmp_path_factory.mktemp("run"))


def test_training_changes_the_weights_and_says_what_it_did(trained):
    weights = _weights(trained.folder)
    assert all(np.isfinite(w).all() for w in weights.values())
    assert all(np.abs(w).max() > 0 for name, w in weights.items() if "lora_B" in name)  # LoRA starts from B = 0
    assert trained.trainable_parameters == sum(w.size for w in weights.values())
    assert trained.examples == len(EXAMPLES)
    assert trained.resumed_at == 0
    assert [step for step, _ in trained.losses] == [1, 2, 3, 4, 5, 6]
    assert {p.name for p in trained.folder.parent.iterdir()} == {
        "adapter",
        "finished.json",
        "training.lock",
    }  # no working files are left


def test_the_adapter_tells_its_base_and_recipe(trained):
    note = json.loads((trained.folder / "base_model.json").read_text())
    assert note["base"] == "tiny"
    assert note["base_digest"] == load_language_model("tiny", device="cpu").digest
    assert SftRecipe.model_validate(note["recipe"]) == RECIPE


def test_the_first_loss_is_the_mean_surprise_of_the_counted_tokens(tmp_path):
    """One example, so the first batch is known: its loss is minus the mean log-probability of the completion's tokens."""
    import torch

    tiny = load_language_model("tiny", device="cpu")
    example = EXAMPLES[0]
    row = tokenised(tiny, example)
    with torch.no_grad():
        law = torch.log_softmax(tiny.model(input_ids=torch.tensor([row.tokens])).logits[0], dim=-1)
    expected = -np.mean([float(law[i - 1, row.tokens[i]]) for i in range(row.completion, len(row.tokens))])
    run = train_adapter([example], RECIPE.model_copy(update={"steps": 1, "batch_size": 1}), tmp_path)
    assert run.losses[0][1] == pytest.approx(expected, abs=1e-3)


def test_training_lowers_the_loss_of_what_it_is_shown(tmp_path):
    recipe = RECIPE.model_copy(update={"steps": 20, "checkpoints": 1})
    run = train_adapter(EXAMPLES[:2], recipe, tmp_path)
    assert run.losses[-1][1] < 0.5 * run.losses[0][1]
    messages, completion = EXAMPLES[0].messages, EXAMPLES[0].completion

    def surprise(lm) -> float:
        return -float(lm.score_continuations([lm.chat_text(messages)], [[completion]])[0][0])

    tuned = load_language_model("tiny", adapter=run.folder, device="cpu")
    assert surprise(tuned) < surprise(load_language_model("tiny", device="cpu"))


def test_the_same_run_gives_the_same_weights(trained, tmp_path):
    again = _weights(train_adapter(EXAMPLES, RECIPE, tmp_path).folder)
    for name, weight in _weights(trained.folder).items():
        assert np.array_equal(weight, again[name]), name


def test_a_killed_run_goes_on_to_the_same_adapter(trained, tmp_path):
    def kill(step: int, steps: int, loss: float) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_adapter(EXAMPLES, RECIPE, tmp_path, report=kill)
    assert not (tmp_path / "adapter").exists()
    run = train_adapter(EXAMPLES, RECIPE, tmp_path)
    assert run.resumed_at == 3
    resumed = _weights(run.folder)
    for name, weight in _weights(trained.folder).items():
        assert np.array_equal(weight, resumed[name]), name


def test_a_finished_run_is_not_made_again_where_what_came_after_it_failed(trained, tmp_path, monkeypatch):
    """The registry may be down after hours of training; another run in the folder takes the adapter's place."""
    first = train_adapter(EXAMPLES, RECIPE, tmp_path)
    steps: list[int] = []
    again = train_adapter(EXAMPLES, RECIPE, tmp_path, report=lambda step, *_: steps.append(step))
    assert (again, steps) == (first, [])
    assert not list(tmp_path.glob("work-*"))
    monkeypatch.setattr("training.sft.code_digest", lambda *_: "other code")
    train_adapter(EXAMPLES, RECIPE, tmp_path, report=lambda step, *_: steps.append(step))
    assert steps == [1, 2, 3, 4, 5, 6]
    steps.clear()
    monkeypatch.undo()
    back = train_adapter(EXAMPLES, RECIPE, tmp_path, report=lambda step, *_: steps.append(step))
    assert steps == [1, 2, 3, 4, 5, 6]
    for name, weight in _weights(trained.folder).items():
        assert np.array_equal(weight, _weights(back.folder)[name]), name


def test_a_checkpoint_of_another_recipe_or_cut_short_is_not_continued(tmp_path):
    def kill(step: int, steps: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_adapter(EXAMPLES, RECIPE, tmp_path, report=kill)
    other = train_adapter(EXAMPLES, RECIPE.model_copy(update={"learning_rate": 0.03}), tmp_path)
    assert other.resumed_at == 0
    (checkpoint,) = tmp_path.glob("work-*/checkpoint-*")
    (checkpoint / "trainer_state.json").unlink()  # written last, so this one was cut short
    assert train_adapter(EXAMPLES, RECIPE, tmp_path).resumed_at == 0


def test_a_checkpoint_over_other_weights_of_the_base_is_not_continued(tmp_path):
    """A folder, or a name at a hub, is the same recipe whatever lies there by now."""
    import torch

    from lm.tiny import tiny_model

    def save(seed: int) -> None:
        model, tokenizer = tiny_model()
        torch.manual_seed(seed)
        torch.nn.init.normal_(model.get_input_embeddings().weight)
        model.save_pretrained(tmp_path / "base")
        tokenizer.save_pretrained(tmp_path / "base")

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    recipe = RECIPE.model_copy(update={"base": str(tmp_path / "base")})
    save(1)
    with pytest.raises(KeyboardInterrupt):
        train_adapter(EXAMPLES, recipe, tmp_path / "run", report=kill)
    save(2)
    assert train_adapter(EXAMPLES, recipe, tmp_path / "run").resumed_at == 0


def test_progress_is_reported(tmp_path):
    seen: list[tuple[int, int]] = []
    train_adapter(
        EXAMPLES, RECIPE.model_copy(update={"steps": 2}), tmp_path, report=lambda s, n, _: seen.append((s, n))
    )
    assert seen == [(1, 2), (2, 2)]


def test_no_examples_and_too_long_ones_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one example"):
        train_adapter([], RECIPE, tmp_path)
    long = Example(({"role": "user", "content": "x" * 900},), "y")
    with pytest.raises(ValueError, match="most_tokens=768"):
        train_adapter([*EXAMPLES, long], RECIPE, tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("fault", [{"steps": 0}, {"learning_rate": 0}, {"warmup_share": 1}, {"rank": 0}, {"colour": 1}])
def test_recipes_that_make_no_sense_are_refused(fault):
    with pytest.raises(ValueError, match=next(iter(fault))):
        SftRecipe.model_validate({"steps": 1, **fault})


def _scorer(*scores: float):
    """Gives these scores in turn, and notes how often it was asked."""
    left, asked = list(scores), []

    def evaluate(lm) -> float:
        assert not lm.model.training
        asked.append(lm)
        return left.pop(0)

    return evaluate, asked


def test_the_weights_of_the_best_score_are_kept(trained, tmp_path):
    evaluate, asked = _scorer(0.5, 0.9, 0.1)
    run = train_adapter(EXAMPLES, RECIPE.model_copy(update={"evaluations": 3}), tmp_path, evaluate=evaluate)
    assert run.scores == [(2, 0.5), (4, 0.9), (6, 0.1)]
    assert (run.kept_step, len(asked)) == (4, 3)
    last = _weights(trained.folder)
    assert any(not np.array_equal(weight, last[name]) for name, weight in _weights(run.folder).items())


def test_training_stops_once_the_scores_no_longer_improve(tmp_path):
    evaluate, asked = _scorer(0.1, 0.9, 0.5, 0.6, 0.7)
    recipe = RECIPE.model_copy(update={"evaluations": 6, "patience": 2})
    run = train_adapter(EXAMPLES, recipe, tmp_path, evaluate=evaluate)
    assert (len(asked), run.kept_step, max(step for step, _ in run.losses)) == (4, 2, 4)


def test_scores_of_a_killed_run_are_known_to_the_next(tmp_path):
    recipe = RECIPE.model_copy(update={"evaluations": 3})

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KeyboardInterrupt

    first, _ = _scorer(0.5, 0.9)
    with pytest.raises(KeyboardInterrupt):
        train_adapter(EXAMPLES, recipe, tmp_path, evaluate=first, report=kill)
    second, asked = _scorer(0.1)
    run = train_adapter(EXAMPLES, recipe, tmp_path, evaluate=second)
    assert run.scores == [(2, 0.5), (4, 0.9), (6, 0.1)]
    assert (len(asked), run.kept_step) == (1, 4)


def test_an_adapter_may_sit_on_the_topmost_layers_alone(tmp_path):
    run = train_adapter(EXAMPLES, RECIPE.model_copy(update={"layers": 1, "steps": 2}), tmp_path)
    assert {name.split(".layers.")[1].split(".")[0] for name in _weights(run.folder)} == {"1"}


def test_the_shipped_adapter_is_tuned_further_only_where_base_and_rank_are_its_own(tmp_path):
    with pytest.raises(
        ValueError, match="the shipped adapter has base smollm2-135m and rank 16; the recipe has tiny and 2"
    ):
        train_adapter(EXAMPLES, RECIPE.model_copy(update={"start": "shipped"}), tmp_path)


def test_a_share_of_the_weights_that_it_started_with_can_stay(trained, tmp_path):
    """LoRA's B starts from nothing, so a quarter of the start leaves three quarters of what was learned."""
    mixed = train_adapter(EXAMPLES, RECIPE.model_copy(update={"share_of_start": 0.25}), tmp_path)
    whole, kept = _weights(trained.folder), _weights(mixed.folder)
    for name in whole:
        if "lora_B" in name:
            assert np.allclose(kept[name], 0.75 * whole[name], atol=1e-2 * np.abs(whole[name]).max())
        else:
            assert not np.array_equal(kept[name], whole[name])
