"""The inbox of exports, disputes decided by a third person, and the rubric as an annotation project."""

from __future__ import annotations

import copy
import json
import shutil
from xml.etree import ElementTree

import pandas as pd
import pytest

from training.agreement import adjudicate, adjudication_tasks, measure_agreement
from training.annotation import annotation_tasks, import_annotations
from training.annotation_inbox import exports_in, inbox_digest, read_inbox
from training.label_studio import save_export
from training.queries import make_queries
from training.rubric_annotation import (
    FLAGS,
    agreement_table,
    explanation_id,
    machine_agreement,
    machine_flags,
    read_judgement_inbox,
    read_judgements,
    rubric_agreement,
    rubric_configuration,
    rubric_tasks,
)
from training.topic_library import load_topics

ITEMS = make_queries("ATE", 6, 3, load_topics()[:6])


def _verdict(value: str) -> dict:
    return {"from_name": "verdict", "to_name": "question", "type": "choices", "value": {"choices": [value]}}


def _reason(text: str) -> dict:
    return {"from_name": "reason", "to_name": "question", "type": "textarea", "value": {"text": [text]}}


def _judged(tasks, annotator, verdict="accept", day=1):
    judged = copy.deepcopy(tasks)
    for task in judged:
        extra = [_reason("unclear")] if verdict == "reject" else []
        result = [*task["predictions"][0]["result"], _verdict(verdict), *extra]
        stamp = f"2026-01-{day:02d}T00:00:00Z"
        task["annotations"] = [{"completed_by": annotator, "result": result, "updated_at": stamp}]
    return judged


def test_exports_of_a_folder_count_once_whatever_their_names(tmp_path):
    tasks = annotation_tasks(ITEMS, {"seed": "3"})
    (tmp_path / "a.json").write_text(json.dumps(_judged(tasks[:4], 1)))
    (tmp_path / "b.json").write_text(json.dumps(_judged(tasks[2:], 2)))
    (tmp_path / "broken.json").write_text("[")
    (tmp_path / ".hidden.json").write_text("[]")
    (tmp_path / "unpacked.json").mkdir()
    first, digest = read_inbox(tmp_path), inbox_digest(tmp_path)
    assert (len(first.items), len(first.rejected)) == (8, 1)
    assert "broken.json is not JSON" in first.rejected[0].reason
    shutil.copy(tmp_path / "a.json", tmp_path / "copy of a.json")
    again = read_inbox(tmp_path)
    assert (again.items, again.rejected, again.repeated) == (first.items, first.rejected, 4)
    assert inbox_digest(tmp_path) == digest
    (tmp_path / "b.json").write_text(json.dumps(_judged(tasks[3:], 2)))
    assert inbox_digest(tmp_path) != digest


def test_a_fetched_export_with_half_a_character_is_saved_and_loses_no_other_judgement(tmp_path):
    export = _judged(annotation_tasks(ITEMS[:2], {"note": "é"}), 1)
    export[0]["meta"]["provenance"]["note"] = "\ud83d"
    path = save_export(export, tmp_path)
    assert save_export(copy.deepcopy(export), tmp_path) == path
    assert list(tmp_path.iterdir()) == [path]
    report = read_inbox(tmp_path)
    assert [(item.item_id, item.provenance["note"]) for item in report.items] == [(ITEMS[1].id, "é")]
    assert len(report.rejected) == 1


def test_an_inbox_may_be_one_file_or_not_be_there(tmp_path):
    path = tmp_path / "export.json"
    assert exports_in(path) == []
    assert read_inbox(path).items == ()
    path.write_text(json.dumps(_judged(annotation_tasks(ITEMS[:1], {}), 1)))
    assert len(read_inbox(path).items) == 1


def test_a_dispute_is_decided_by_the_adjudicator_and_agreement_is_the_annotators():
    tasks = annotation_tasks(ITEMS[:3], {"seed": "3"})
    export = [*_judged(tasks, 1), *_judged(tasks[:2], 2, "reject")]
    before = import_annotations(export).items
    assert len(adjudicate(before).disputed) == 2
    decided = adjudication_tasks(adjudicate(before).disputed)
    assert all("annotator-2 rejects (unclear)" in task["data"]["question"] for task in decided)
    assert [task["data"]["item"]["id"] for task in decided] == [d[0].item_id for d in adjudicate(before).disputed]
    # annotator 1 decides: for the first, against the second
    after = import_annotations(
        [*export, *_judged(decided[:1], 1, day=2), *_judged(decided[1:], 1, "reject", day=2)]
    ).items
    outcome = adjudicate(after)
    assert outcome.disputed == ()
    assert {item.id for item in outcome.settled} == {decided[0]["data"]["item"]["id"], ITEMS[2].id}
    assert outcome.refused == (decided[1]["data"]["item"]["id"],)
    assert measure_agreement(after).fields["verdict"] == measure_agreement(before).fields["verdict"]


EXPLANATIONS = pd.DataFrame(
    {"question": ["Q1", "Q2", "Q3"], "summary": ["R1", "R2", "R3"], "completion": ["E1.", "E2.", "E3."]}
)


def _flagged(tasks, annotator, *answers):
    out = copy.deepcopy(tasks)
    for task, said in zip(out, answers, strict=True):
        result = [
            {"from_name": flag, "type": "choices", "value": {"choices": ["yes" if flag in said else "no"]}}
            for flag in FLAGS
        ]
        task["annotations"] = [{"completed_by": annotator, "result": result}]
    return out


def test_rubric_judgements_come_back_and_agree_with_the_machine_as_counted_by_hand():
    tasks = rubric_tasks(EXPLANATIONS, {"seed": "0"})
    one = _flagged(tasks, 1, {"hallucination"}, set(), {"incompleteness"})
    two = _flagged(tasks, 2, {"hallucination"}, {"hallucination"}, {"incompleteness"})
    judgements, refused = read_judgements([*one, *two, *one])
    assert (len(judgements), refused) == (6, [])
    agreement = rubric_agreement(judgements)
    assert agreement["hallucination"].share_equal == 2 / 3
    assert agreement["hallucination"].kappa == pytest.approx(0.4)  # observed 2/3, by chance 2/9 + 2/9 = 4/9
    assert agreement["incompleteness"].kappa == 1.0
    machine = {explanation_id(f"R{i}", f"E{i}."): dict.fromkeys(FLAGS, False) for i in (1, 2, 3)}
    assert machine_agreement(judgements, machine) == {"hallucination": 0.5, "incompleteness": 2 / 3, "non_fluency": 1.0}
    assert machine_agreement(judgements, {})["hallucination"] is None


def test_altered_skipped_and_half_filled_judgements_are_refused_with_a_reason():
    tasks = rubric_tasks(EXPLANATIONS, {})
    altered, skipped, half = (_flagged([task], 1, set())[0] for task in tasks)
    altered["data"]["explanation"] = "another"
    skipped["annotations"][0]["was_cancelled"] = True
    half["annotations"][0]["result"].pop()
    judgements, refused = read_judgements([altered, skipped, half])
    assert judgements == []
    assert ["altered" in refused[0], "skipped" in refused[1], "non_fluency" in refused[2]] == [True] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"data": "text"},
        {"meta": ["text"]},
        {"annotations": 5},
        {"id": "\ud83d"},
        {"data": {"result": "\ud83d", "explanation": "E1."}},
        {"annotations": ["text"]},
        {"annotations": [{"completed_by": 1, "result": [{"from_name": "hallucination", "value": ["yes"]}]}]},
    ],
)
def test_a_malformed_entry_keeps_no_other_judgement_from_being_read(change):
    one, other, _ = _flagged(rubric_tasks(EXPLANATIONS, {}), 1, set(), set(), set())
    judgements, _ = read_judgements([{**one, **change}, other])
    assert [judged.explanation for judged in judgements] == [explanation_id("R2", "E2.")]


def test_people_whose_accounts_were_deleted_are_not_taken_for_one():
    tasks = rubric_tasks(EXPLANATIONS, {})
    judgements, refused = read_judgements(
        [*_flagged(tasks, None, set(), set(), set()), *_flagged(tasks, 2, *[set()] * 3)]
    )
    assert [judged.annotator for judged in judgements] == ["annotator-2"] * 3
    assert all("who made it" in reason for reason in refused) and len(refused) == 3


def test_the_rubrics_interface_is_xml_with_every_flag_once():
    root = ElementTree.fromstring(rubric_configuration())
    assert [element.get("name") for element in root.iter("Choices")] == list(FLAGS)


def test_a_folder_of_judgements_is_read_once_whatever_else_lies_there(tmp_path):
    tasks = rubric_tasks(EXPLANATIONS, {})
    export = json.dumps(_flagged(tasks, 1, set(), {"non_fluency"}, set()))
    (tmp_path / "one.json").write_text(export)
    (tmp_path / "copy.json").write_text(export)
    (tmp_path / "broken.json").write_text("[{")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "other.json").write_text('{"a": 1}')
    judgements, refused = read_judgement_inbox(tmp_path)
    assert len(judgements) == 3
    assert [reason.split(" is ")[0] for reason in refused] == ["broken.json", "deep.json", "other.json"]
    assert read_judgement_inbox(tmp_path / "absent") == ([], [])


def test_people_and_machine_stand_in_one_table():
    tasks = rubric_tasks(EXPLANATIONS, {})
    judgements, _ = read_judgements(_flagged(tasks, 1, set(), {"non_fluency"}, set()))
    machine = machine_flags(EXPLANATIONS.assign(faults=0))
    table = agreement_table(rubric_agreement(judgements), machine_agreement(judgements, machine)).set_index("flag")
    assert list(table.index) == list(FLAGS)
    assert table.loc["hallucination", "equal_to_machine"] == 1.0
    assert table.loc["non_fluency", "equal_to_machine"] == pytest.approx(2 / 3)  # it finds nothing in these three
    assert table.loc["non_fluency", ["judged_twice", "judges"]].tolist() == [0, 1]
    assert len(agreement_table({})) == 0


def test_of_a_judges_verdicts_on_one_explanation_the_latest_counts():
    task = rubric_tasks(EXPLANATIONS, {})[:1]
    first, second = _flagged(task, 1, {"hallucination"}), _flagged(task, 1, set())
    first[0]["annotations"][0]["updated_at"] = "2026-11-21T10:00:00Z"
    second[0]["annotations"][0]["updated_at"] = "2026-11-22T10:00:00Z"
    for order in ([*first, *second], [*second, *first]):
        (judged,), _ = read_judgements(order)
        assert not judged.flags["hallucination"]
