"""How far annotators agree, field by field, and which items they settle.

Cohen's kappa is computed for each pair of annotators and averaged over pairs; Krippendorff's alpha (nominal) uses all
annotators and tolerates missing judgements.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

from training.annotation import ADJUDICATION, AnnotatedItem, annotation_tasks
from training.annotation_fields import canonical_query
from training.queries import QueryItem

FIELDS = (
    "verdict", "task", "dataset", "nodes", "treatment", "response", "mediator", "conditions", "covariates", "query",
)  # fmt: skip
Labels = dict[str, dict[str, str]]  # item id -> annotator -> label


@dataclass(frozen=True)
class FieldAgreement:
    """Agreement on one field; a figure that does not exist is None, and its reason says why."""

    field: str
    n_items: int
    n_shared: int  # items that two or more annotators judged
    n_annotators: int
    share_equal: float | None  # of all pairs of judgements on the same item
    kappa: float | None
    kappa_reason: str
    alpha: float | None
    alpha_reason: str


@dataclass(frozen=True)
class Agreement:
    """Agreement on every field: as a table for a report, and by name."""

    table: pd.DataFrame
    fields: dict[str, FieldAgreement]


@dataclass(frozen=True)
class Adjudication:
    """Items by what their annotators said: settled, refused by all, or in dispute (which are not to be used)."""

    settled: tuple[QueryItem, ...]
    refused: tuple[str, ...]
    disputed: tuple[tuple[AnnotatedItem, ...], ...]


def measure_agreement(items: Sequence[AnnotatedItem], fields: Sequence[str] = FIELDS) -> Agreement:
    """Agreement over annotations.

    A field of the query is compared where nobody rejected the item (a rejection carries no query) and where at least
    one annotator filled it, so that fields which a task does not have do not count as agreement.
    """
    judged = [item for item in latest_judgements(items) if ADJUDICATION not in item.provenance]
    measured = {field: agreement_of_labels(field, _labels(judged, field)) for field in fields}
    table = pd.DataFrame([vars(found) for found in measured.values()]).astype(
        {"share_equal": object, "kappa": object, "alpha": object}
    )
    table = table.where(table.notna(), None)
    return Agreement(table=table, fields=measured)


def latest_judgements(items: Sequence[AnnotatedItem]) -> list[AnnotatedItem]:
    """One judgement for each item and annotator: the last one made (and, apart from it, the last adjudication)."""
    latest: dict[tuple[str, str, bool], AnnotatedItem] = {}
    for item in sorted(items, key=lambda item: (item.made_at, item.annotation_id)):
        latest[item.item_id, item.annotator, ADJUDICATION in item.provenance] = item
    return list(latest.values())


def agreement_of_labels(field: str, labels: Labels) -> FieldAgreement:
    """Agreement over labels: item id -> annotator -> label."""
    annotators = sorted({annotator for judged in labels.values() for annotator in judged})
    pairs = [pair for judged in labels.values() for pair in combinations(judged.values(), 2)]
    kappa, kappa_reason = _kappa(labels, annotators)
    alpha, alpha_reason = _alpha(labels, annotators)
    return FieldAgreement(
        field=field,
        n_items=len(labels),
        n_shared=sum(len(judged) > 1 for judged in labels.values()),
        n_annotators=len(annotators),
        share_equal=float(np.mean([left == right for left, right in pairs])) if pairs else None,
        kappa=kappa,
        kappa_reason=kappa_reason,
        alpha=alpha,
        alpha_reason=alpha_reason,
    )


def _kappa(labels: Labels, annotators: Sequence[str]) -> tuple[float | None, str]:
    found: list[float] = []
    reasons: list[str] = []
    for left, right in combinations(annotators, 2):
        both = [(judged[left], judged[right]) for judged in labels.values() if left in judged and right in judged]
        if not both:
            reasons.append(f"{left} and {right} share no item")
        elif len({label for pair in both for label in pair}) == 1:
            reasons.append(f"{left} and {right} used one label only, so chance agreement is 1")
        else:
            first, second = zip(*both, strict=True)
            found.append(float(cohen_kappa_score(first, second)))
    if found:
        return float(np.mean(found)), "; ".join(reasons)
    return None, "; ".join(reasons) or "fewer than two annotators"


def _alpha(labels: Labels, annotators: Sequence[str]) -> tuple[float | None, str]:
    shared = [judged for judged in labels.values() if len(judged) > 1]
    values = sorted({label for judged in shared for label in judged.values()})
    if not shared:
        return None, "no item was judged by two annotators"
    if len(values) == 1:
        return None, "one label only, so expected disagreement is 0"
    code = {value: float(number) for number, value in enumerate(values)}
    ratings = np.array([[code[j[a]] if a in j else np.nan for j in shared] for a in annotators])  # (annotators, items)
    return float(krippendorff.alpha(reliability_data=ratings, level_of_measurement="nominal")), ""


def _labels(items: Sequence[AnnotatedItem], field: str) -> Labels:
    labels: Labels = defaultdict(dict)
    rejected = {item.item_id for item in items if item.verdict == "reject"}
    for item in items:
        if field == "verdict":
            labels[item.item_id][item.annotator] = item.verdict
        elif item.item_id not in rejected:
            labels[item.item_id][item.annotator] = _label(item, field)
    return {name: judged for name, judged in labels.items() if any(judged.values())}


def _label(item: AnnotatedItem, field: str) -> str:
    if field == "task":
        return item.task
    canonical = canonical_query(item.query)
    if field == "query":
        return canonical
    value = (json.loads(canonical) or {}).get(field)
    return json.dumps(value) if value else ""


def adjudicate(items: Sequence[AnnotatedItem]) -> Adjudication:
    """Settle each item on which its annotators agree.

    Annotators agree when they stand for the same task, query and wording, whether by accepting or by correcting; an
    item with one annotator is settled by that one. Everything else is disputed and must be decided by a person: an
    adjudicator's judgement (of a task of :func:`adjudication_tasks`) decides alone, the last one made where there are several.
    """
    by_item: dict[str, list[AnnotatedItem]] = defaultdict(list)
    for item in latest_judgements(items):
        by_item[item.item_id].append(item)
    settled: list[QueryItem] = []
    refused: list[str] = []
    disputed: list[tuple[AnnotatedItem, ...]] = []
    for name in sorted(by_item):
        decisions = [item for item in by_item[name] if ADJUDICATION in item.provenance]
        decisions = sorted(decisions, key=lambda item: item.made_at)[-1:]
        judged = decisions or sorted(by_item[name], key=lambda item: item.annotator)
        stands = {None if i.verdict == "reject" else (i.task, canonical_query(i.query), i.question) for i in judged}
        if len(stands) > 1:
            disputed.append(tuple(judged))
        elif judged[0].verdict == "reject":
            refused.append(name)
        else:
            settled.append(judged[0].as_item())
    return Adjudication(settled=tuple(settled), refused=tuple(refused), disputed=tuple(disputed))


def adjudication_tasks(disputed: Sequence[Sequence[AnnotatedItem]]) -> list[dict[str, Any]]:
    """Label Studio tasks for whoever decides disputes: the item again, and what each annotator said of it.

    A judgement of such a task comes back with ``adjudication`` in its provenance.
    """
    tasks = []
    for judged in disputed:
        item = judged[0].item
        said = "; ".join(_said(judgement) for judgement in judged)
        (task,) = annotation_tasks([item], {**judged[0].provenance, ADJUDICATION: said})
        task["data"]["question"] = f"{item.question}\n\nSo far: {said}"
        tasks.append(task)
    return tasks


def _said(judgement: AnnotatedItem) -> str:
    if judgement.verdict == "reject":
        return f"{judgement.annotator} rejects ({judgement.reason})"
    wording = "" if judgement.question == judgement.item.question else f", worded {judgement.question!r}"
    fields = {key: value for key, value in (judgement.query or {}).items() if value not in (None, [], ())}
    return f"{judgement.annotator} says {judgement.verdict}: {fields or 'NONE'}{wording}"
