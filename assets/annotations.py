"""What people said of the questions: imported, checked, and where they agree."""

from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import BaseModel

from assets.making import Made, make, markdown
from assets.storage import FileStore


class AnnotationInbox(BaseModel):
    """Where Label Studio's JSON exports arrive: a folder of them, or one file."""

    path: Path


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
