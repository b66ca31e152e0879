"""Explanations judged by people: the rubric's three flags as a Label Studio project, and how far judges and machine agree.

Source: LLM4Causal (arXiv 2312.17122), human evaluation of interpretations.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from training.agreement import FieldAgreement, agreement_of_labels
from training.annotation import annotator_name
from training.annotation_fields import HALF_A_CHARACTER, NO_JSON, FieldError, can_be_written
from training.annotation_inbox import exports_in
from training.digests import digest_of
from training.interpretation import is_fluent

FLAGS = {
    "hallucination": "Does it say something that the result does not say?",
    "incompleteness": "Is a number of the result, the method or the file missing?",
    "non_fluency": "Would a person not write it so?",
}


class Judgement(BaseModel):
    """One person's flags for one explanation; true is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    explanation: str
    annotator: str
    flags: dict[str, bool]
    comment: str = ""
    judged_at: str = ""  # ISO time, which sorts as text


def rubric_configuration() -> str:
    """The labelling interface, as Label Studio's XML."""
    choices = "\n".join(
        f'  <Header value="{question}" size="5"/>\n'
        f'  <Choices name="{flag}" toName="explanation" choice="single-radio" showInline="true" required="true">\n'
        '    <Choice value="no"/><Choice value="yes"/>\n  </Choices>'
        for flag, question in FLAGS.items()
    )
    return (
        '<View>\n  <Header value="Question"/>\n  <Text name="question" value="$question"/>\n'
        '  <Header value="Result"/>\n  <Text name="result" value="$result"/>\n'
        '  <Header value="Explanation"/>\n  <Text name="explanation" value="$explanation"/>\n'
        f'{choices}\n  <TextArea name="comment" toName="explanation" rows="2" editable="true"/>\n</View>\n'
    )


def rubric_tasks(explanations: pd.DataFrame, provenance: Mapping[str, str]) -> list[dict[str, Any]]:
    """Label Studio tasks, one an explanation.

    Args:
        explanations: with ``question``, ``summary`` (the result as the template has it) and ``completion``.
        provenance: comes back with every judgement.
    """
    return [
        {
            "data": {"question": row["question"], "result": row["summary"], "explanation": row["completion"]},
            "meta": {"item_id": explanation_id(row["summary"], row["completion"]), "provenance": dict(provenance)},
        }
        for _, row in explanations.iterrows()
    ]


def explanation_id(summary: str, text: str) -> str:
    """Digest of a result and its explanation."""
    return f"explanation-{digest_of([summary, text])}"


def read_judgements(export: Sequence[Mapping[str, Any]]) -> tuple[list[Judgement], list[str]]:
    """Each person's latest judgement of each explanation, and why other annotations cannot be used."""
    found: dict[tuple[str, str], Judgement] = {}
    refused: list[str] = []
    for entry in export:
        if not can_be_written(entry):
            refused.append(f"task {entry.get('id')!r}: {HALF_A_CHARACTER}")
            continue
        data, meta, annotations = (entry.get(part) for part in ("data", "meta", "annotations"))
        name = meta.get("item_id") if isinstance(meta, Mapping) else None
        said = (data.get("result", ""), data.get("explanation", "")) if isinstance(data, Mapping) else ("", "")
        if name != explanation_id(*said):
            refused.append(f"task {entry.get('id')}: no explanation of ours, or altered")
            continue
        for annotation in annotations if isinstance(annotations, list) else ():
            try:
                judged = _judgement(str(name), annotation)
            except (FieldError, ValidationError, KeyError, TypeError, AttributeError) as error:
                refused.append(f"{name}: {error}")
            else:
                key = judged.explanation, judged.annotator
                if key not in found or judged.judged_at >= found[key].judged_at:
                    found[key] = judged
    return list(found.values()), refused


def _judgement(name: str, annotation: Mapping[str, Any]) -> Judgement:
    said: dict[str, str] = {}
    for result in annotation["result"]:
        value = result["value"]
        said[result["from_name"]] = " ".join(value.get("choices") or value.get("text") or ())
    missing = [flag for flag in FLAGS if said.get(flag) not in ("yes", "no")]
    if annotation.get("was_cancelled") or missing:
        raise FieldError(f"without an answer on {', '.join(missing) or 'anything (skipped)'}")
    flags = {flag: said[flag] == "yes" for flag in FLAGS}
    annotator = annotator_name(annotation.get("completed_by") or "")  # null, once the account is deleted
    when = str(annotation.get("updated_at") or annotation.get("created_at") or "")
    return Judgement(
        explanation=name, annotator=annotator, flags=flags, comment=said.get("comment", ""), judged_at=when
    )


def rubric_agreement(judgements: Sequence[Judgement]) -> dict[str, FieldAgreement]:
    """Agreement among people, flag by flag."""
    labels: dict[str, dict[str, dict[str, str]]] = {flag: defaultdict(dict) for flag in FLAGS}
    for judged in judgements:
        for flag, value in judged.flags.items():
            labels[flag][judged.explanation][judged.annotator] = str(value)
    return {flag: agreement_of_labels(flag, judged) for flag, judged in labels.items()}


def machine_agreement(
    judgements: Sequence[Judgement], machine: Mapping[str, Mapping[str, bool]]
) -> dict[str, float | None]:
    """By flag, the share of people's judgements that the machine's flag of the explanation equals; None without any."""
    known = [judged for judged in judgements if judged.explanation in machine]
    return {
        flag: sum(judged.flags[flag] == machine[judged.explanation][flag] for judged in known) / len(known)
        if known
        else None
        for flag in FLAGS
    }


def machine_flags(explanations: pd.DataFrame) -> dict[str, dict[str, bool]]:
    """The rubric's flags by rule, by explanation.

    Args:
        explanations: with ``summary``, ``completion`` and ``faults``, as the interpretation corpus has them; its checks let
            nothing invented or missing through, so only fluency can differ.
    """
    return {
        explanation_id(row["summary"], row["completion"]): {
            "hallucination": bool(row["faults"]),
            "incompleteness": bool(row["faults"]),
            "non_fluency": not is_fluent(row["completion"]),
        }
        for _, row in explanations.iterrows()
    }


def read_judgement_inbox(folder: Path) -> tuple[list[Judgement], list[str]]:
    """Judgements of all exports in a folder, each once, and why others cannot be used."""
    entries: list[Mapping[str, Any]] = []
    refused: list[str] = []
    for path in exports_in(folder):
        try:
            export = json.loads(path.read_bytes())
        except NO_JSON as error:
            refused.append(f"{path.name} is no JSON export: {error}")
            continue
        if not isinstance(export, list) or not all(isinstance(entry, dict) for entry in export):
            refused.append(f"{path.name} is no list of annotated tasks")
        else:
            entries += export
    judgements, unusable = read_judgements(entries)
    return judgements, list(dict.fromkeys([*refused, *unusable]))


def agreement_table(
    agreement: Mapping[str, FieldAgreement], machine: Mapping[str, float | None] | None = None
) -> pd.DataFrame:
    """One line a flag: how far people agree, and how often with the machine."""
    columns = ["flag", "judged_twice", "judges", "share_equal", "kappa", "alpha", "equal_to_machine"]
    rows = [
        (
            flag,
            found.n_shared,
            found.n_annotators,
            found.share_equal,
            found.kappa,
            found.alpha,
            (machine or {}).get(flag),
        )
        for flag, found in agreement.items()
    ]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], float))
