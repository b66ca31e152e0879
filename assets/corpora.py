"""What the models learn from: questions with readings, results with explanations; and their checks."""

import dagster as dg
import pandas as pd

from assets.checks import as_check_result
from assets.making import Made, make, markdown
from assets.partitions import TASKS
from assets.profile import Profile
from assets.storage import FileStore


@dg.asset(
    group_name="corpora",
    owners=["team:causalsmith"],
    kinds={"parquet", "huggingface"},
    code_version="1",
    deps=["annotation_agreement"],
)
def retrieval_corpus(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    causal_topics: pd.DataFrame,
    synthetic_queries: dict[str, pd.DataFrame],
    human_annotations: dict,
) -> dg.MaterializeResult:
    """Questions and their readings: generated, and annotated where annotators agree; split by topic and phrasing family."""
    from training.agreement import adjudicate
    from training.annotation import ImportReport
    from training.corpora import items_from
    from training.corpora import retrieval_corpus as corpus_of

    def build() -> Made:
        frame = pd.concat([synthetic_queries[task] for task in TASKS], ignore_index=True)
        train, held_out = (items_from(frame[frame["split"] == s]) for s in ("train", "held_out"))
        outside = set(causal_topics.query("split == 'held_out'")["topic"])
        settled = adjudicate(ImportReport.model_validate(human_annotations).items).settled
        questions = {item.question for item in train}
        annotated = [item for item in settled if item.topic not in outside and item.question not in questions]
        corpus = corpus_of(train, held_out, annotated, profile.queries.unseen)
        counts = pd.crosstab(corpus["split"], corpus["task"])
        return Made(
            corpus,
            {
                "rows": len(corpus),
                "train": int((corpus["split"] == "train").sum()),
                "held_out": len(held_out),
                "annotated": len(annotated),
                "annotated_left_out": len(settled) - len(annotated),
                "counts": markdown(counts.to_markdown()),
                "preview": markdown(corpus[["question", "completion"]].head(5).to_markdown(index=False)),
            },
        )

    return make(context, files, {"unseen": profile.queries.unseen}, build)


@dg.asset(group_name="corpora", owners=["team:causalsmith"], kinds={"parquet", "huggingface"}, code_version="2")
def interpretation_corpus(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    synthetic_queries: dict[str, pd.DataFrame],
) -> dg.MaterializeResult:
    """Results of the causal tools on simulated files, and their explanations in plain words."""
    from training.corpora import items_from
    from training.interpretation import interpretation_corpus as corpus_of

    sizes = profile.interpretation

    def build() -> Made:
        items = []
        for task in TASKS:
            if task != "NONE":
                part = synthetic_queries[task].query("split == 'train'")
                items += items_from(part.head(sizes.pairs_per_task))

        def report(done: int, total: int) -> None:
            if done % 10 == 0 or done == total:
                context.log.info(f"{done} of {total} results explained")

        frame = corpus_of(items, sizes.rows, profile.seed, report)
        refused = frame.attrs.get("refused", {})
        return Made(
            frame,
            {
                "pairs": len(frame),
                "refused": len(refused),
                "mean_words": float(frame["words"].mean()),
                "preview": markdown(frame[["task", "completion"]].groupby("task").head(1).to_markdown(index=False)),
            },
        )

    return make(context, files, {**sizes.model_dump(), "seed": profile.seed}, build)


@dg.asset_check(
    asset="retrieval_corpus",
    blocking=True,
    description="Great Expectations: schema, tasks, splits, lengths, form of the readings.",
)
def retrieval_corpus_is_sound(retrieval_corpus: pd.DataFrame) -> dg.AssetCheckResult:
    """Whether the retrieval corpus can be trained on."""
    from validation.suites import retrieval_expectations, validate

    return as_check_result(validate(retrieval_corpus, "retrieval corpus", retrieval_expectations(TASKS)))


@dg.asset_check(
    asset="retrieval_corpus",
    blocking=True,
    description="No topic and no question on both sides of the split, and no phrasing family where the profile says so.",
)
def retrieval_corpus_does_not_leak(
    retrieval_corpus: pd.DataFrame, profile: dg.ResourceParam[Profile]
) -> dg.AssetCheckResult:
    """Whether held-out questions are unseen in topic, wording and (by profile) phrasing family."""
    from validation.leakage import check_split

    return as_check_result(check_split(retrieval_corpus, profile.queries.unseen))


@dg.asset_check(
    asset="interpretation_corpus",
    blocking=True,
    description="Great Expectations: schema, lengths, causal wording, no faults.",
)
def interpretation_corpus_is_sound(interpretation_corpus: pd.DataFrame) -> dg.AssetCheckResult:
    """Whether the explanations invent nothing and leave nothing out."""
    from validation.suites import interpretation_expectations, validate

    tasks = [task for task in TASKS if task != "NONE"]
    return as_check_result(validate(interpretation_corpus, "interpretation corpus", interpretation_expectations(tasks)))
