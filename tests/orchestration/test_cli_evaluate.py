"""The commands that evaluate a model and look after annotations, as a person types them."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from training.rubric_annotation import FLAGS, rubric_tasks

runner = CliRunner()


def _said(*arguments: str) -> str:
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_systems_are_scored_beside_each_other_and_every_reading_is_kept(tmp_path):
    """A network without training, on three questions: what counts is that all of it is there and adds up."""
    out = tmp_path / "readings.parquet"
    systems = ("assistant", "majority")
    chosen = [part for system in (*systems, "majority") for part in ("--system", system)]  # asked for twice, given once
    told = json.loads(
        _said("evaluate", "written", "--model", "tiny", "--every", "61", *chosen, "--out", str(out), "--json")
    )
    readings = pd.read_parquet(out)
    assert set(systems) <= set(readings.columns)
    causal = readings[readings["task"] != "NONE"]
    lines = {(line["system"], line["field"]): line for line in told["causal questions"]}
    assert {system for system, _ in lines} == set(systems)
    assert len(lines) == len(told["causal questions"])
    assert lines["assistant", "all"]["questions"] == len(causal)
    right = [
        json.loads(read) == json.loads(true) for read, true in zip(causal["majority"], causal["query"], strict=True)
    ]
    assert lines["majority", "all"]["right"] >= sum(right)


def test_explanations_of_true_results_are_judged_beside_template_and_a_sentence_that_says_nothing(tmp_path):
    """A network without training invents or leaves out; the template does neither, and the fixed sentence tells nothing."""
    out = tmp_path / "explanations.parquet"
    told = json.loads(
        _said("evaluate", "unseen", "--explanations", "--model", "tiny", "--every", "150", "--out", str(out), "--json")
    )
    shares = {(line["system"], line["rubric"]): line for line in told["explanations"]}
    assert {system for system, _ in shares} == {"tiny", "template", "fixed sentence"}
    assert shares["template", "faithful"]["share"] == shares["template", "complete"]["share"] == 1.0
    assert (shares["fixed sentence", "faithful"]["share"], shares["fixed sentence", "complete"]["share"]) == (1.0, 0.0)
    assert shares["tiny", "complete"]["share"] == 0.0
    kept = pd.read_parquet(out)
    assert len(kept) == 3 * told["results"] > 3
    assert (kept["text"] != "").any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "written", "--explanations"), "evaluate unseen --explanations"),
        (("evaluate", "unseen", "--explanations", "--answers"), "by itself"),
        (("evaluate", "written", "--system", "gpt"), "no system 'gpt'; there are: assistant"),
        (("evaluate", "written", "--answers"), "evaluate unseen --answers"),
        (("evaluate", "written", "--out", "x.csv"), ".parquet"),
        (
            ("annotations", "tasks", "--of", "explanations", "--out", "folder"),
            "materialize the asset explanation_tasks",
        ),
        (("annotations", "send"), "there are no annotation tasks yet"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments, said, monkeypatch, tmp_path):
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    done = runner.invoke(app, arguments)
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_the_sample_is_not_told_as_judgements_that_came_nor_are_its_disputes_sent(monkeypatch, tmp_path):
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    monkeypatch.delenv("CAUSALSMITH_ANNOTATIONS", raising=False)
    done = runner.invoke(app, ["annotations", "status", "--json"])
    assert json.loads(done.stdout)["judgements"] == 0
    assert "annotations yet; until one comes, runs take the sample" in " ".join(done.stderr.split())
    assert "0 disputes" in _said("annotations", "disputes")


def test_judgements_of_explanations_are_counted_and_bad_exports_named(monkeypatch, tmp_path):
    explained = pd.DataFrame({"question": ["Q"], "summary": ["R"], "completion": ["E."]})
    tasks = rubric_tasks(explained, {})
    for annotator in (1, 2):
        result = [{"from_name": flag, "type": "choices", "value": {"choices": ["no"]}} for flag in FLAGS]
        tasks[0].setdefault("annotations", []).append({"completed_by": annotator, "result": result})
    folder = tmp_path / "explanations"
    folder.mkdir()
    (folder / "export.json").write_text(json.dumps(tasks))
    (folder / "broken.json").write_text("{")
    monkeypatch.setenv("CAUSALSMITH_ANNOTATIONS", str(tmp_path))
    told = json.loads(_said("annotations", "status", "--of", "explanations", "--json"))
    assert told["judgements"] == 2
    assert told["agreement"]["hallucination"]["share_equal"] == 1.0
    assert "broken.json" in told["reasons"][0]
    assert "2 judgements of explanations, 1 not usable" in _said("annotations", "status", "--of", "explanations")
