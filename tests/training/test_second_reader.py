"""Tuning the second reader: what its loss counts, that it learns, and that a killed run ends with the same weights."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from causal_tools.contract import CausalQuery
from causal_tools.second_reading import OPERATORS, SLOTS
from lm.pointer import SHIPPED_SECOND, SHIPPED_THIRD, load_pointer
from lm.pointer_encoders import bundled_encoder
from lm.pointer_network import Logits
from lm.pointer_weights import network_of, new_network
from training.finished import FINISHED
from training.queries import QueryItem
from training.reader_labels import NAMES, TASKS, labelled, reader_loss, tensors
from training.recipe import SecondReaderRecipe
from training.second_reader import reader_matches, train_second_reader
from training.test_sets import load_test_set
from training.written import FOLDER, read_written

WRITTEN = read_written(sorted(FOLDER.glob("*.yaml"))[0])
ITEMS = [item for item in WRITTEN if item.topic == WRITTEN[0].topic]
SMALL = SecondReaderRecipe(repeats=8, batch_tokens=512, warmup_steps=1, rank=4, cuts=1, checkpoints=3)


class Indifferent(torch.nn.Module):
    """Stands where a network would, and finds everything equally likely."""

    def forward(self, batch):
        rows, items = batch["there"].shape
        tokens = batch["tokens"].shape[1]
        shapes = [
            (len(TASKS),),
            (1,),
            (items, 5),
            (items, 7),
            batch["options"].shape[1:],
            (tokens, items + 1),
            (tokens, 6),
        ]
        return Logits(*(torch.zeros(rows, *shape) for shape in shapes))


def test_the_loss_of_knowing_nothing_is_counted_by_hand():
    """One question of nine columns: six tasks; of an average effect two roles of nine columns and nine conditions that may be or
    not; of a graph nine nodes and whether all. Of each condition seven operators, and one of its levels where it has some.
    Words: six slots each, and ten columns or none, which count twice."""
    _, form = new_network(NAMES)
    by_task = {item.task: item for item in reversed(ITEMS)}
    columns = len(ITEMS[0].columns)
    expected = {
        "ATE": math.log(6) + 2 * math.log(columns) + columns * math.log(2),
        "HTE": math.log(6) + 2 * math.log(columns) + columns * math.log(2),
        "MA": math.log(6) + 3 * math.log(columns) + columns * math.log(2),
        "CGL": math.log(6) + (columns + 1) * math.log(2),
    }
    for condition in by_task["HTE"].query["conditions"]:
        levels = by_task["HTE"].levels.get(condition["column"], ())
        expected["HTE"] += math.log(7) + (math.log(min(len(levels), 6)) if levels else 0)
    for task, loss in expected.items():
        found = reader_loss(Indifferent(), tensors([labelled(by_task[task], form)]))
        assert float(found) == pytest.approx(loss + math.log(6) + 2 * math.log(columns + 1), rel=1e-5), task


def _item(question: str, said: dict[str, str], **query) -> QueryItem:
    fields = {"task": "HTE", "treatment": "dose", "response": "pain", "dataset": None, **query}
    return QueryItem(
        id="one",
        task=fields["task"],
        topic="drugs",
        family="written",
        question=question,
        dataset=None,
        columns=("dose", "pain", "age", "sex", "site_id"),
        query=CausalQuery.model_validate(fields).model_dump(mode="json"),
        levels={"sex": ("f", "m"), "site_id": (1, 2, 3)},
        said=said,
    )


def test_words_are_marked_with_their_column_and_its_slot_and_conditions_with_operator_and_level():
    _, form = new_network(NAMES)
    conditions = [
        {"column": "sex", "operator": "=", "value": "f"},
        {"column": "age", "operator": ">", "value": 60},
        {"column": "site_id", "operator": "!=", "value": 2},
    ]
    item = _item(
        "For women above sixty years, does Dose ease aches outside of site two in 1999 , whatever site_id means?",
        {"pain": "aches", "sex": "women", "age": "above sixty years"},
        conditions=conditions,
    )
    one = labelled(item, form)
    tokens = form.tokenizer.convert_ids_to_tokens(one.row.tokens)[: one.row.text_tokens]
    columns = [item.columns[n - 1] if n > 0 else "-" for n in one.links[1:-1]]
    assert dict(zip(tokens[1:-1], columns, strict=True)) == {
        "for": "-", "women": "sex", "above": "age", "sixty": "age", "years": "age", ",": "-", "does": "-", "dose": "dose",
        "ease": "-", "ache": "pain", "##s": "pain", "outside": "-", "of": "-", "site": "site_id", "two": "site_id", "in": "-",
        "1999": "-", "whatever": "-", "_": "site_id", "id": "site_id", "means": "-", "?": "-",
    }  # fmt: skip
    assert one.links[0] == one.links[-1] == one.words[0] == -100
    assert one.words[tokens.index("women")] == SLOTS.index("condition") + 1
    assert one.words[tokens.index("dose")] == SLOTS.index("treatment") + 1
    assert one.words[tokens.index("does")] == 0
    assert [OPERATORS[n] if n >= 0 else None for n in one.operators] == [None, None, ">", "=", "!="]
    assert list(zip(one.option_of, one.options, strict=True)) == [(3, 1), (3, 0), (4, 0), (4, 1), (4, 0)]
    assert one.roles.sum(0).tolist() == [1, 1, 0, 3, 0]
    assert not one.every


def test_where_words_of_a_column_are_not_known_others_do_not_count_as_of_none():
    _, form = new_network(NAMES)
    one = labelled(_item("does dose ease aches", {}, task="ATE"), form)
    assert one.links.tolist() == [-100, -100, 1, -100, -100, -100, -100]
    assert one.words.tolist() == [-100, -100, 1, -100, -100, -100, -100]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train_second_reader(ITEMS, [], SMALL, tmp_path_factory.mktemp("whole"))


def test_it_learns_and_a_killed_run_ends_with_the_same_weights(whole, tmp_path):
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
    said: list[int] = []
    again = train_second_reader(ITEMS, [], SMALL, whole.folder.parent, lambda *at: said.append(at[0]))
    assert (again.losses, again.steps, said) == (whole.losses, whole.steps, [])


@pytest.mark.slow
def test_two_processes_share_a_run(whole, tmp_path):
    """Each takes every second batch; both end with one reader, which has learned."""
    script = tmp_path / "run.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from tests.training.test_second_reader import ITEMS, SMALL\n"
        "from training.second_reader import train_second_reader\n"
        "train_second_reader(ITEMS, [], SMALL, Path(sys.argv[1]))\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*command, str(script), str(tmp_path / "shared")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = json.loads((tmp_path / "shared" / FINISHED).read_text())["outcome"]
    assert outcome["steps"] == math.ceil(whole.steps / 2)
    assert outcome["questions"] == whole.questions
    assert outcome["losses"][-1][1] < outcome["losses"][0][1]
    assert not list((tmp_path / "shared").glob("work-*"))


@pytest.mark.slow
def test_of_a_language_model_the_layers_without_a_mask_learn(tmp_path):
    losses = []
    recipe = SMALL.model_copy(update={"encoder": "language model", "most_steps": 4})
    trained = train_second_reader(ITEMS, [], recipe, tmp_path, lambda *at: losses.append(at))
    assert trained.losses[-1][1] < 0.8 * trained.losses[0][1]
    now, _, _ = network_of(trained.folder)
    was = bundled_encoder("language model").state_dict()
    changed = {name for name, weight in now.encoder.state_dict().items() if not weight.equal(was[name])}
    assert {int(name.split(".")[2]) for name in changed if ".layers." in name} == set(range(10, 24))
    assert not any("embed" in name for name in changed)
    short = recipe.model_copy(update={"most_steps": 1})
    onward = train_second_reader(ITEMS[:2], [], short, tmp_path / "on", start=trained.folder)
    assert network_of(onward.folder)[0].made_of == "language model"
    with pytest.raises(ValueError, match="by the encoder 'language model'; the recipe wants 'sentences'"):
        train_second_reader(ITEMS, [], SMALL, tmp_path / "other", start=trained.folder)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="translating layers needs a C++ compiler")
def test_translated_layers_learn_the_same(tmp_path):
    plain = SMALL.model_copy(update={"encoder": "language model", "most_steps": 3})
    translated = plain.model_copy(update={"compiled": True})
    ours, theirs = (
        train_second_reader(ITEMS, [], recipe, tmp_path / str(recipe.compiled)) for recipe in (plain, translated)
    )
    assert [loss for _, loss in theirs.losses] == pytest.approx([loss for _, loss in ours.losses], rel=0.02)


def test_only_the_language_models_layers_are_translated():
    with pytest.raises(ValidationError, match="compiled: only"):
        SecondReaderRecipe(compiled=True)


def test_a_run_of_one_step_is_cut_at_its_end(tmp_path):
    trained = train_second_reader(ITEMS, [], SMALL.model_copy(update={"most_steps": 1}), tmp_path)
    assert trained.steps == 1
    assert network_of(trained.folder)[0].made_of == "sentences"


def test_without_questions_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(ValueError, match="at least one question"):
        train_second_reader([], [], SMALL, tmp_path)


@pytest.mark.parametrize("reader", [SHIPPED_SECOND, SHIPPED_THIRD], ids=lambda folder: folder.name)
def test_a_shipped_reader_reads_development_questions_by_itself(reader):
    """Majority reads a sixth of the tasks, and no roles."""
    found = reader_matches(load_pointer(reader), load_test_set("development")[::6])
    assert found["task_right"].mean() > 0.8
    assert found["all_right"].mean() > 0.4
