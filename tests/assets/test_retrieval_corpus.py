"""The corpus of questions: what people said counts before what was generated, and what it is made of is told."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.corpora import retrieval_corpus
from assets.partitions import TASKS, by_task
from assets.profile import read_profile
from assets.queries import causal_topics, synthetic_queries
from assets.storage import FileStore, LocalBlobs
from causal_tools.contract import CausalQuery
from orchestration.settings import PROFILES
from orchestration.storage import StoredFiles
from training.annotation import annotation_tasks, import_annotations
from training.annotation_fields import entries_from_query
from training.corpora import items_frame
from training.queries import QueryItem, with_id

HELD_OUT = "Does sun help mood?"


def _item(question: str, topic: str = "health", treatment: str = "drug") -> QueryItem:
    query = CausalQuery(task="ATE", treatment=treatment, response="pain")
    columns = ("drug", "pain", "age")
    return with_id(
        QueryItem(
            id="-", task="ATE", topic=topic, family=f"of {topic}", question=question, dataset=None, columns=columns,
            query=query.model_dump(mode="json"), levels={},
        )
    )  # fmt: skip


def _said(item: QueryItem, verdict: str, annotator: int = 1, treatment: str = "drug", **texts: str) -> dict:
    """A judgement as an export of Label Studio has it."""
    (task,) = annotation_tasks([item], {"seed": "1"})
    entries = [] if verdict == "reject" else entries_from_query("ATE", {**(item.query or {}), "treatment": treatment})
    entries.append({"from_name": "verdict", "to_name": "question", "type": "choices", "value": {"choices": [verdict]}})
    entries += [
        {"from_name": name, "to_name": "question", "type": "textarea", "value": {"text": [text]}}
        for name, text in texts.items()
    ]
    return {**task, "annotations": [{"completed_by": annotator, "result": entries, "created_at": "2026-01-01"}]}


def _corpus(train: list[QueryItem], said: list[dict], reworded: list[QueryItem], folder: Path) -> pd.DataFrame:
    store = FileStore(LocalBlobs(str(folder / "store")), folder)
    both = [items_frame(train).assign(split="train"), items_frame([_item(HELD_OUT, "sky")]).assign(split="held_out")]
    for task in TASKS:
        store.put("synthetic_queries", task, pd.concat(both) if task == "ATE" else both[0][:0], "given")
    store.put(
        "causal_topics", None, pd.DataFrame({"topic": ["health", "sky"], "split": ["train", "held_out"]}), "given"
    )
    store.put("reworded_queries", None, items_frame(reworded), "given")
    report = import_annotations(said)
    assert not report.rejected
    store.put("human_annotations", None, report.model_dump(mode="json"), "given")
    tiny = read_profile(PROFILES / "tiny.yaml")
    profile = tiny.model_copy(update={"queries": tiny.queries.model_copy(update={"written": False})})
    names = ("causal_topics", "reworded_queries", "human_annotations", "annotation_agreement")
    given = [*map(dg.AssetSpec, names), dg.AssetSpec("synthetic_queries", partitions_def=by_task)]
    done = dg.materialize(
        [*given, retrieval_corpus],
        resources={"profile": profile, "files": store, "io_manager": StoredFiles(store)},
        instance=dg.DagsterInstance.local_temp(str(folder)),
    )
    assert done.success
    found = store.get("retrieval_corpus")
    assert isinstance(found, pd.DataFrame)
    return found[found["split"] == "train"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([("accept", "drug", {})], [("Does it help?", "effect: drug on pain.", "annotated")]),
        ([("correct", "age", {})], [("Does it help?", "effect: age on pain.", "annotated")]),
        (
            [("correct", "drug", {"wording": "Does drug help?"})],
            [("Does drug help?", "effect: drug on pain.", "annotated")],
        ),
        ([("reject", "drug", {"reason": "nobody can tell"})], []),
        ([("accept", "drug", {}), ("correct", "age", {})], []),  # a dispute, until somebody decides it
    ],
)
def test_what_people_settled_on_counts_and_not_what_was_generated(said, kept, tmp_path):
    item, other = _item("Does it help?"), _item("Does drug move pain?")
    told = [_said(item, verdict, number, treatment, **texts) for number, (verdict, treatment, texts) in enumerate(said)]
    found = _corpus([item, other], told, [], tmp_path)
    lines = list(found[["question", "completion", "source"]].itertuples(index=False, name=None))
    assert sorted(lines) == sorted([*kept, ("Does drug move pain?", "effect: drug on pain.", "generated")])


def test_a_question_comes_once_whoever_worded_it(tmp_path):
    """The corpus is refused as a whole where it comes twice, and no night would have another."""
    items = [_item("Does it help?"), _item("Does drug move pain?"), _item("Is pain moved by drug?")]
    told = [_said(item, "correct", wording="Does drug act on pain?") for item in items[:2]]
    told.append(_said(_item("Old?"), "correct", wording=HELD_OUT))  # asked elsewhere by now
    reworded = [_item("Is pain moved by drug?"), _item("Drug for pain?"), _item("Drug for pain?", treatment="age")]
    found = _corpus(items, told, reworded, tmp_path)
    assert sorted(found["question"]) == ["Does drug act on pain?", "Drug for pain?", "Is pain moved by drug?"]


@pytest.mark.parametrize(
    ("asset", "folder"),
    [
        (causal_topics, "training.topic_library.TOPIC_FOLDER"),
        (synthetic_queries, "training.topic_library.TOPIC_FOLDER"),
        (synthetic_queries, "training.grammar.library.FOLDER"),
        (retrieval_corpus, "training.written.FOLDER"),
    ],
)
def test_topics_families_and_written_questions_are_part_of_what_a_corpus_is_made_of(
    asset, folder, tmp_path, monkeypatch
):
    """Else a newer copy of the project, with more of them, would say for ever that nothing has changed."""
    recipes: list[object] = []

    def make(_: object, __: object, settings: object, *___: object) -> dg.MaterializeResult:
        recipes.append(settings)
        return dg.MaterializeResult()

    for module in ("assets.queries", "assets.corpora"):
        monkeypatch.setattr(f"{module}.make", make)
    module, name = folder.rsplit(".", 1)
    copy = shutil.copytree(getattr(importlib.import_module(module), name), tmp_path / "copy")
    monkeypatch.setattr(folder, copy)
    given: dict[str, object] = {key.to_user_string(): pd.DataFrame() for key in asset.dependency_keys}
    if asset is retrieval_corpus:
        del given["annotation_agreement"]
        given |= {"synthetic_queries": {}, "human_annotations": {}}
    given |= {"profile": read_profile(PROFILES / "laptop.yaml"), "files": None}
    for new in ("notes.md", "new.yaml", "more.md"):
        with dg.build_asset_context(partition_key="ATE" if asset is synthetic_queries else None) as context:
            asset(context, **given)
        (copy / new).write_text("[]")
    assert recipes[0] == recipes[1] != recipes[2]
