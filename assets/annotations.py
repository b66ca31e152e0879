"""What people said of the questions: imported, checked, and where they agree."""

from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import BaseModel

from assets.making import Made, make, markdown
from assets.partitions import TASKS
from assets.profile import Profile
from assets.storage import FileStore


class AnnotationInbox(BaseModel):
    """Where Label Studio's JSON exports arrive: on questions (a folder of them, or one file), and on explanations."""

    path: Path
    explanations: Path


@dg.asset(group_name="annotations", owners=["team:causalsmith"], kinds={"json", "labelstudio"}, code_version="2")
def human_annotations(
    context: dg.AssetExecutionContext, files: dg.ResourceParam[FileStore], inbox: dg.ResourceParam[AnnotationInbox]
) -> dg.MaterializeResult:
    """Annotations of Label Studio's exports; what could not be used is kept beside, with the reason."""
    from training.annotation_inbox import exports_in, inbox_digest, read_inbox

    def build() -> Made:
        report = read_inbox(inbox.path)
        reasons = pd.DataFrame(
            [entry.model_dump() for entry in report.rejected], columns=["position", "annotation", "reason", "digest"]
        )
        return Made(
            report.model_dump(mode="json"),
            {
                "annotations": len(report.items),
                "rejected": len(report.rejected),
                "repeated": report.repeated,
                "annotators": len({item.annotator for item in report.items}),
                "exports": ", ".join(path.name for path in exports_in(inbox.path)) or "none",
                "rejected_entries": markdown(reasons.to_markdown(index=False) if len(reasons) else "none"),
            },
        )

    return make(context, files, {"exports": inbox_digest(inbox.path)}, build)


@dg.asset(group_name="annotations", owners=["team:causalsmith"], kinds={"python", "parquet"}, code_version="1")
def annotation_agreement(
    context: dg.AssetExecutionContext, files: dg.ResourceParam[FileStore], human_annotations: dict
) -> dg.MaterializeResult:
    """How far annotators agree, field by field: Cohen's kappa and Krippendorff's alpha."""
    from training.agreement import adjudicate, measure_agreement
    from training.annotation import ImportReport

    def build() -> Made:
        items = ImportReport.model_validate(human_annotations).items
        agreement = measure_agreement(items)
        verdicts = adjudicate(items)
        table = agreement.table.drop(columns=["kappa_reason", "alpha_reason"])
        numbers = {
            f"{name}_{field}": value
            for field, found in agreement.fields.items()
            for name, value in (("kappa", found.kappa), ("alpha", found.alpha))
            if value is not None
        }
        frame = agreement.table.astype(dict.fromkeys(("share_equal", "kappa", "alpha"), float))
        return Made(
            frame,
            {
                "settled": len(verdicts.settled),
                "refused": len(verdicts.refused),
                "disputed": len(verdicts.disputed),
                **numbers,
                "table": markdown(table.to_markdown(index=False, floatfmt=".3f")),
            },
        )

    return make(context, files, {}, build)


@dg.asset(group_name="annotations", owners=["team:causalsmith"], kinds={"json", "labelstudio"}, code_version="1")
def explanation_tasks(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    interpretation_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """Explanations for people to judge by the rubric, as a Label Studio project: tasks and labelling configuration."""
    from training.rubric_annotation import rubric_configuration, rubric_tasks

    def build() -> Made:
        each = max(1, profile.queries.annotation_tasks // len(TASKS))
        picked = interpretation_corpus.groupby("task").head(each)
        tasks = rubric_tasks(picked, {"seed": str(profile.seed), "profile": profile.name})
        preview = picked.groupby("task").head(1)[["task", "completion"]]
        return Made(
            {"labelling_configuration": rubric_configuration(), "tasks": tasks},
            {"tasks": len(tasks), "preview": markdown(preview.to_markdown(index=False))},
        )

    return make(context, files, {"tasks": profile.queries.annotation_tasks}, build)


@dg.asset(group_name="annotations", owners=["team:causalsmith"], kinds={"python", "parquet"}, code_version="1")
def explanation_agreement(
    context: dg.AssetExecutionContext,
    files: dg.ResourceParam[FileStore],
    inbox: dg.ResourceParam[AnnotationInbox],
    interpretation_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """How far people agree on the rubric's flags, with each other and with the machine checks; no rows without judgements."""
    from training.annotation_inbox import inbox_digest
    from training.rubric_annotation import (
        agreement_table,
        machine_agreement,
        machine_flags,
        read_judgement_inbox,
        rubric_agreement,
    )

    def build() -> Made:
        judgements, refused = read_judgement_inbox(inbox.explanations)
        machine = machine_agreement(judgements, machine_flags(interpretation_corpus))
        table = agreement_table(rubric_agreement(judgements) if judgements else {}, machine)
        return Made(
            table,
            {
                "judgements": len(judgements),
                "judges": len({judged.annotator for judged in judgements}),
                "refused": len(refused),
                "reasons": markdown("\n".join(f"- {reason}" for reason in refused[:20]) or "none"),
                "table": markdown(table.to_markdown(index=False, floatfmt=".3f") if len(table) else "no judgement yet"),
            },
        )

    return make(context, files, {"exports": inbox_digest(inbox.explanations)}, build)
