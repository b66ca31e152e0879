"""Label Studio: questions out as pre-annotated tasks, annotations in as checked records.

Importing never stops at a bad entry and never drops one: whatever cannot be used is returned with the reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from causal_tools.contract import TASKS
from training.annotation_fields import (
    HALF_A_CHARACTER,
    NO_JSON,
    ROLE_FIELDS,
    TEXT_FIELDS,
    VERDICTS,
    FieldError,
    Verdict,
    can_be_written,
    canonical_query,
    entries_from_query,
    fields_from_entries,
    query_from_fields,
)
from training.queries import QueryItem, with_id

GENERATOR = "query-generator/1"
ADJUDICATION = "adjudication"  # in the provenance of a judgement that decides a dispute
_ROLE_CHOICES = "\n".join(
    f'  <Header value="{role}" size="5"/>\n'
    f'  <Choices name="{role}" toName="question" choice="single" layout="select" value="$column_choices"/>'
    for role in ROLE_FIELDS
)
_TEXTS = "\n".join(
    f'  <Header value="{hint}" size="5"/>\n  <TextArea name="{name}" toName="question" rows="2" editable="true"/>'
    for name, hint in TEXT_FIELDS.items()
)


def labelling_configuration() -> str:
    """The labelling interface, as Label Studio's XML."""
    tasks = "\n".join(f'    <Choice value="{task}"/>' for task in (*TASKS, "NONE"))
    verdicts = "\n".join(f'    <Choice value="{verdict}"/>' for verdict in VERDICTS)
    return (
        '<View>\n  <Header value="Question"/>\n  <Text name="question" value="$question"/>\n'
        '  <Header value="Columns of the file"/>\n  <Text name="columns" value="$columns_text"/>\n'
        f'  <Choices name="task" toName="question" choice="single-radio" showInline="true" required="true">\n{tasks}\n'
        f"  </Choices>\n{_ROLE_CHOICES}\n{_TEXTS}\n"
        '  <Choices name="verdict" toName="question" choice="single-radio" showInline="true" required="true">\n'
        f"{verdicts}\n  </Choices>\n</View>\n"
    )


def annotation_tasks(items: Iterable[QueryItem], provenance: Mapping[str, str]) -> list[dict[str, Any]]:
    """Label Studio tasks, each with its structured query as the pre-annotation.

    Args:
        provenance: where the questions come from (seed, versions, ...); it comes back with every annotation.
    """
    return [
        {
            "data": {
                "question": item.question,
                "columns_text": ", ".join(item.columns),
                "column_choices": [{"value": column} for column in item.columns],
                "item": item.model_dump(mode="json"),
            },
            "meta": {"item_id": item.id, "provenance": dict(provenance)},
            "predictions": [{"model_version": GENERATOR, "result": entries_from_query(item.task, item.query)}],
        }
        for item in items
    ]


class AnnotatedItem(BaseModel):
    """What one annotator said about one item.

    ``query`` is the query the annotator stands for (None for task NONE, and for a rejected item); ``question`` is the
    wording, corrected where it was. ``annotation_id`` is a digest: the same judgement imported twice has one id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    annotation_id: str
    item: QueryItem
    annotator: str = Field(min_length=1)
    verdict: Verdict
    task: str
    query: dict[str, Any] | None
    question: str = Field(min_length=1)
    reason: str
    made_at: str
    provenance: dict[str, str]

    @property
    def item_id(self) -> str:
        return self.item.id

    def as_item(self) -> QueryItem:
        """The item as corrected, under the id of its new content.

        Raises:
            ValueError: the annotator rejected the item.
        """
        if self.verdict == "reject":
            raise ValueError(f"item {self.item_id} was rejected by {self.annotator}: {self.reason}")
        dataset = self.item.dataset if self.query is None else self.query["dataset"]
        changes = {"task": self.task, "query": self.query, "question": self.question, "dataset": dataset}
        return with_id(self.item.model_copy(update=changes))


class RejectedEntry(BaseModel):
    """An entry of an export that could not be used: which task, which of its annotations, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    position: int
    annotation: int | None
    reason: str
    digest: str


class ImportReport(BaseModel):
    """Every entry of an export is in ``items`` or in ``rejected``, or is one of the ``repeated``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: tuple[AnnotatedItem, ...]
    rejected: tuple[RejectedEntry, ...]
    repeated: int


class _Task(BaseModel):
    """The part of an exported task that is read; Label Studio adds more."""

    class Data(BaseModel):
        item: QueryItem

    class Meta(BaseModel):
        provenance: dict[str, str]

    data: Data
    meta: Meta
    annotations: list[Any]


class _Annotation(BaseModel):
    """The part of an exported annotation that is read; Label Studio adds more."""

    completed_by: int | str | dict[str, Any]
    result: list[dict[str, Any]]
    was_cancelled: bool = False
    created_at: str = ""
    updated_at: str = ""


def read_export(path: Path) -> ImportReport:
    """Import a Label Studio JSON export from a file; a file that is no JSON is one rejected entry."""
    raw = path.read_bytes()
    try:
        export = json.loads(raw)
    except NO_JSON as error:
        reason = f"{path.name} is not JSON: {error}"
        refused = RejectedEntry(position=0, annotation=None, reason=reason, digest=_digest(repr(raw)))
        return ImportReport(items=(), rejected=(refused,), repeated=0)
    return import_annotations(export)


def import_annotations(export: object) -> ImportReport:
    """Import a parsed Label Studio JSON export (a list of tasks)."""
    rejected: list[RejectedEntry] = []
    found: list[AnnotatedItem] = []

    def refuse(position: int, annotation: int | None, reason: str, entry: object) -> None:
        rejected.append(RejectedEntry(position=position, annotation=annotation, reason=reason, digest=_digest(entry)))

    tasks = export if isinstance(export, list) else []
    if not isinstance(export, list):
        refuse(0, None, f"an export is a list of tasks, this is a {type(export).__name__}", export)
    for position, entry in enumerate(tasks):
        if not can_be_written(entry):
            refuse(position, None, HALF_A_CHARACTER, entry)
            continue
        try:
            task = _Task.model_validate(entry)
        except ValidationError as error:
            refuse(position, None, f"no task of ours: {_first_fault(error)}", entry)
            continue
        if with_id(task.data.item).id != task.data.item.id:
            refuse(position, None, f"item {task.data.item.id} was altered: its id no longer fits its content", entry)
            continue
        if not task.annotations:
            refuse(position, None, f"item {task.data.item.id} has no annotation yet", entry)
        for number, annotation in enumerate(task.annotations):
            try:
                found.append(_annotated(task, _Annotation.model_validate(annotation)))
            except ValidationError as error:
                refuse(position, number, f"malformed annotation: {_first_fault(error)}", annotation)
            except FieldError as error:
                refuse(position, number, str(error), annotation)
    items = merge_annotations((), found)
    return ImportReport(items=items, rejected=tuple(rejected), repeated=len(found) - len(items))


def merge_annotations(known: Sequence[AnnotatedItem], new: Sequence[AnnotatedItem]) -> tuple[AnnotatedItem, ...]:
    """Both together, each judgement once (the later of two equal ones), in order of item, annotator and time."""
    latest: dict[str, AnnotatedItem] = {}
    for item in sorted((*known, *new), key=lambda item: item.made_at):
        latest[item.annotation_id] = item
    return tuple(sorted(latest.values(), key=lambda i: (i.item_id, i.annotator, i.made_at, i.annotation_id)))


def _annotated(task: _Task, annotation: _Annotation) -> AnnotatedItem:
    item = task.data.item
    if annotation.was_cancelled:
        raise FieldError(f"item {item.id} was skipped by the annotator")
    fields = fields_from_entries(annotation.result)
    verdict = next((known for known in VERDICTS if known == fields.get("verdict")), None)
    if verdict is None:
        raise FieldError(f"item {item.id} has no verdict; it must be one of {', '.join(VERDICTS)}")
    question = fields.get("wording", "").strip() or item.question
    reason = fields.get("reason", "").strip()
    named_task, query = item.task, item.query
    if verdict == "reject":
        if not reason:
            raise FieldError(f"item {item.id} is rejected without a reason")
        query = None
    else:
        if fields.keys() - {"verdict", "wording", "reason"}:
            named_task, query = query_from_fields(fields, item)
        changed = named_task != item.task or canonical_query(query) != canonical_query(item.query)
        if verdict == "accept" and (changed or question != item.question):
            raise FieldError(f"item {item.id} is marked 'accept', but its fields or wording were changed")
        if verdict == "correct" and not changed and question == item.question:
            raise FieldError(f"item {item.id} is marked 'correct', but nothing was changed")
    annotator = annotator_name(annotation.completed_by)
    deciding = (ADJUDICATION,) if ADJUDICATION in task.meta.provenance else ()
    judged = (item.id, annotator, verdict, named_task, canonical_query(query), question, reason, *deciding)
    return AnnotatedItem(
        annotation_id=_digest(judged)[:20],
        item=item,
        annotator=annotator,
        verdict=verdict,
        task=named_task,
        query=query,
        question=question,
        reason=reason,
        made_at=annotation.updated_at or annotation.created_at,
        provenance=task.meta.provenance,
    )


def annotator_name(completed_by: int | str | Mapping[str, Any]) -> str:
    """A stable name for an annotator; mail addresses are not kept.

    Raises:
        FieldError: nothing identifies the annotator.
    """
    if isinstance(completed_by, Mapping):
        said = " ".join(str(completed_by.get(part) or "") for part in ("first_name", "last_name")).strip()
        completed_by = said or completed_by.get("id") or ""
    if isinstance(completed_by, str) and "@" in completed_by:
        return f"annotator-{_digest(completed_by)[:8]}"
    if completed_by == "":
        raise FieldError("the annotation does not say who made it (completed_by)")
    return completed_by if isinstance(completed_by, str) else f"annotator-{completed_by}"


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'entry'}: {fault['msg']}"


def _digest(entry: object) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()


__all__ = [
    "AnnotatedItem", "ImportReport", "RejectedEntry", "annotation_tasks", "annotator_name",
    "import_annotations", "labelling_configuration", "merge_annotations", "read_export",
]  # fmt: skip
