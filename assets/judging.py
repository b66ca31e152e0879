"""Explanations judged by a hosted model, and how far it agrees with people."""

import dagster as dg
import pandas as pd

from assets.annotations import AnnotationInbox
from assets.making import Made, make, markdown
from assets.profile import Profile
from assets.recordings import StoredRecordings
from assets.storage import FileStore, Stored
from training.digests import code_digest


@dg.asset(
    group_name="evaluation",
    owners=["team:causalsmith"],
    kinds={"openai", "parquet"},
    code_version="2",
    pool="api",
    deps=["explanation_agreement"],
)
def judged_explanations(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    recordings: dg.ResourceParam[StoredRecordings],
    inbox: dg.ResourceParam[AnnotationInbox],
    interpretation_corpus: pd.DataFrame,
    held_out_results: pd.DataFrame,
    explanation_evaluation: pd.DataFrame,
) -> dg.MaterializeResult:
    """The evaluation's explanations by a hosted judge, if the profile names one, and its calibration against people.

    The judge never decides a promotion. Its shares are shown beside the machine checks, with what it is worth.
    """
    from training.answers import RESULT
    from training.judge import UNUSABLE, calibration, judge
    from training.rubric_annotation import FLAGS, explanation_id, read_judgement_inbox

    settings = profile.judge

    def build() -> Made:
        if settings is None:
            empty = pd.DataFrame(columns=["explanation", "system", "task", *FLAGS, "failure"])
            return Made(
                empty, {"judge": "none: the profile names no judge", "failed": 0, "unanswered": 0, "recorded": 0}
            )
        endpoint = recordings.endpoint(settings)
        people, _ = read_judgement_inbox(inbox.explanations)
        known = {one.explanation for one in people}
        rows = zip(interpretation_corpus["summary"], interpretation_corpus["completion"], strict=True)
        shared = [(summary, text) for summary, text in rows if explanation_id(summary, text) in known]
        given = held_out_results[held_out_results["result"] != ""]
        summaries = {row["id"]: RESULT.validate_json(row["result"]).summary for row in given.to_dict("records")}
        ours = [(summaries[name], text) for name, text in explanation_evaluation[["id", "text"]].to_numpy().tolist()]
        judged = judge(endpoint, [*shared, *ours])
        worth = calibration(judged.head(len(shared)), people)
        found = judged.tail(len(ours)).reset_index(drop=True)
        found.insert(1, "system", explanation_evaluation["system"].to_numpy())
        found.insert(2, "task", explanation_evaluation["task"].to_numpy())
        answered = found[found["failure"] == ""]
        numbers = answered.astype(dict.fromkeys(FLAGS, float))
        shares = numbers.groupby("system", sort=False)[list(FLAGS)].mean()
        return Made(
            found,
            {
                "judge": settings.model,
                "judged": len(answered),
                "failed": int((judged["failure"] != "").sum()),
                "unanswered": int(((judged["failure"] != "") & ~judged["failure"].str.startswith(UNUSABLE)).sum()),
                "calls": endpoint.calls,
                "dollars": endpoint.spent,
                "recorded": recordings.count(),
                "faults_by_system": markdown(shares.to_markdown(floatfmt=".3f") if len(answered) else "none"),
                "worth": markdown(worth.to_markdown(index=False, floatfmt=".3f")),
            },
        )

    def nothing_to_ask(stored: Stored) -> bool:
        if settings is None or int(stored.metadata["unanswered"]) == 0:
            return True
        endpoint = recordings.endpoint(settings)
        return not endpoint.can_call and stored.metadata["recorded"] == recordings.count()

    chosen = None if settings is None else {"model": settings.model, "base_url": settings.base_url}
    code = code_digest("training") if settings is not None else None
    return make(context, files, {"judge": chosen, "code": code}, build, still_holds=nothing_to_ask)
