"""Label Studio round trips: what goes out comes back, what is bad is kept with its reason."""

import copy
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.agreement import adjudicate, measure_agreement
from training.annotation import (
    annotation_tasks,
    annotator_name,
    import_annotations,
    labelling_configuration,
    merge_annotations,
    read_export,
)
from training.annotation_fields import (
    CHOICE_FIELDS,
    TEXT_FIELDS,
    canonical_query,
    entries_from_query,
    text_entry,
)
from training.queries import check_item, make_queries
from training.topic_library import load_topics

TOPICS = load_topics()
SAMPLE = Path(__file__).parents[2] / "training" / "samples" / "annotations_sample.json"


def _verdict(value):
    return {"from_name": "verdict", "to_name": "question", "type": "choices", "value": {"choices": [value]}}


def _export(items, verdict="accept", annotator=1, extra=()):
    tasks = annotation_tasks(items, {"seed": "0"})
    for task in tasks:
        result = [*copy.deepcopy(task["predictions"][0]["result"]), _verdict(verdict), *extra]
        task["annotations"] = [{"completed_by": annotator, "result": result, "updated_at": "2026-01-01T00:00:00Z"}]
    return tasks


@settings(max_examples=25, deadline=None)
@given(task=st.sampled_from(("CGL", "ATE", "HTE", "MA", "OPO", "NONE")), seed=st.integers(0, 10**6))
def test_accepted_items_come_back_unchanged(task, seed):
    items = make_queries(task, 5, seed, TOPICS)
    report = import_annotations(json.loads(json.dumps(_export(items))))
    assert report.rejected == ()
    came_back = {found.item_id: canonical_query(found.query) for found in report.items}
    assert came_back == {item.id: canonical_query(item.query) for item in items}
    assert {found.as_item().id for found in report.items} == {item.id for item in items}
    assert all(found.provenance == {"seed": "0"} for found in report.items)


def test_importing_the_same_export_twice_adds_nothing():
    export = _export(make_queries("ATE", 6, 1, TOPICS))
    once = import_annotations(export)
    assert import_annotations(copy.deepcopy(export)) == once
    assert merge_annotations(once.items, import_annotations(export).items) == once.items
    twice = import_annotations(export + export)
    assert twice.items == once.items
    assert twice.repeated == 6


def test_correction_of_query_and_wording_is_taken():
    item = make_queries("ATE", 1, 1, TOPICS)[0]
    task = annotation_tasks([item], {})[0]
    other = next(c for c in item.columns if c not in (item.query["treatment"], item.query["response"]))
    entries = entries_from_query("ATE", {**item.query, "response": other})
    wording = text_entry("wording", [f"What does {item.query['treatment']} do to {other}?"])
    task["annotations"] = [{"completed_by": 2, "result": [*entries, wording, _verdict("correct")]}]
    (found,) = import_annotations([task]).items
    corrected = found.as_item()
    assert (found.verdict, corrected.query["response"]) == ("correct", other)
    assert corrected.question == f"What does {item.query['treatment']} do to {other}?"
    assert corrected.id != item.id


def _wrong_fields(name, value):
    def change(task):
        for entry in task["annotations"][0]["result"]:
            if entry["from_name"] == name:
                entry["value"] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t["annotations"][0].update(was_cancelled=True), "skipped"),
        (lambda t: t["annotations"][0].pop("completed_by"), "completed_by"),
        (lambda t: t["annotations"][0].update(completed_by=""), "completed_by"),
        (lambda t: t["annotations"][0].update(result="none"), "result"),
        (lambda t: t["annotations"][0]["result"].pop(), "no verdict"),
        (lambda t: t["annotations"][0]["result"].append(_verdict("reject")), "one choice"),
        (lambda t: t["annotations"][0]["result"].append({"from_name": "bbox"}), "not of this form"),
        (lambda t: t["annotations"][0]["result"].append({"from_name": ["verdict"]}), "not of this form"),
        (lambda t: t["meta"]["provenance"].update(note="\ud83d"), "half a character"),
        (lambda t: t["data"]["item"].update(topic="\ud83d"), "half a character"),
        (lambda t: t.update(annotations=[]), "no annotation yet"),
        (lambda t: t.pop("annotations"), "annotations"),
        (lambda t: t.pop("meta"), "meta"),
        (lambda t: t.update(data={"image": "cat.png"}), r"data\.item"),
        (lambda t: t["data"]["item"].update(question="something else"), "altered"),
        (lambda t: t["data"]["item"].update(extra=1), "Extra inputs"),
        (_wrong_fields("treatment", {"choices": ["no_such_column"]}), "no column 'no_such_column'"),
        (_wrong_fields("treatment", {"text": ["x"]}), "must be 'choices'"),
        (_wrong_fields("task", {"choices": ["XYZ"]}), "none of"),
        (_wrong_fields("verdict", {"choices": ["correct"]}), "nothing was changed"),
        (_wrong_fields("verdict", {"choices": ["reject"]}), "without a reason"),
        (_wrong_fields("task", {"choices": ["MA"]}), "needs mediator"),
        (_wrong_fields("task", {"choices": ["NONE"]}), "marked 'accept'"),
    ],
)
def test_bad_entries_are_kept_with_their_reason_and_do_not_harm_the_rest(change, said):
    good, bad = make_queries("ATE", 2, 7, TOPICS)
    tasks = _export([good, bad])
    change(tasks[1])
    report = import_annotations(tasks)
    assert [found.item_id for found in report.items] == [good.id]
    (rejected,) = report.rejected
    assert rejected.position == 1
    assert re.search(said, rejected.reason), rejected.reason


@pytest.mark.parametrize("export", [None, {}, "text", 3, [None], [[]], [{"data": None}]])
def test_foreign_exports_do_not_crash(export):
    report = import_annotations(export)
    assert report.items == ()
    assert len(report.rejected) == 1


def test_a_file_that_is_no_json_is_one_rejected_entry(tmp_path):
    path = tmp_path / "export.json"
    for content in (b"\xff\xfe{", b"[" * 100_000, b"[" + b"9" * 5000 + b"]"):
        path.write_bytes(content)
        (rejected,) = read_export(path).rejected
        assert "not JSON" in rejected.reason


def test_mail_addresses_are_not_kept():
    name = annotator_name("someone@example.org")
    assert "@" not in name
    assert annotator_name({"id": 4, "email": "x@example.org"}) == "annotator-4"
    assert annotator_name({"id": 4, "first_name": "Ada", "last_name": "L"}) == "Ada L"


def test_configuration_is_xml_that_holds_every_field_once():
    root = ElementTree.fromstring(labelling_configuration())
    controls = [element.get("name") for element in root if element.tag in ("Choices", "TextArea")]
    assert sorted(controls) == sorted((*CHOICE_FIELDS, *TEXT_FIELDS))
    assert {element.get("toName") for element in root if element.get("toName")} == {"question"}


def test_adjudication_settles_agreement_and_lists_disagreement():
    items = make_queries("ATE", 3, 2, TOPICS)
    reason = text_entry("reason", ["unclear"])
    export = [
        *_export(items, annotator=1),
        *_export(items[:1], annotator=2),
        *_export(items[1:2], "reject", annotator=2, extra=[reason]),
    ]
    judged = adjudicate(import_annotations(export).items)
    assert {item.id for item in judged.settled} == {items[0].id, items[2].id}
    assert [dispute[0].item_id for dispute in judged.disputed] == [items[1].id]
    refused = adjudicate(import_annotations(_export(items, "reject", extra=[reason])).items)
    assert set(refused.refused) == {item.id for item in items}


def test_the_sample_is_what_its_readme_says():
    report = read_export(SAMPLE)
    judged = adjudicate(report.items)
    assert len(json.loads(SAMPLE.read_text(encoding="utf-8"))) == 41
    assert len(report.items) == 69
    assert [entry.reason.rsplit(" was ")[-1] for entry in report.rejected] == ["skipped by the annotator"]
    assert (len(judged.settled), len(judged.refused), len(judged.disputed)) == (34, 1, 6)
    assert {item.annotator for item in report.items} == {"sample annotator A", "sample annotator B"}
    assert all(item.provenance["kind"] == "sample" for item in report.items)
    assert measure_agreement(report.items).fields["verdict"].n_shared == 28
    for item in judged.settled:
        assert check_item(item, TOPICS) == []
