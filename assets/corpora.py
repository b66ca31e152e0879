"""What the models learn from: questions with readings, results with explanations; and their checks."""

from pathlib import Path

import dagster as dg
import pandas as pd

from assets.checks import as_check_result, data_docs
from assets.making import Made, make, markdown
from assets.partitions import TASKS
from assets.profile import Profile
from assets.storage import FileStore


@dg.asset(
    group_name="corpora",
    owners=["team:causalsmith"],
    kinds={"parquet", "huggingface"},
    code_version="4",
    deps=["annotation_agreement"],
)
def retrieval_corpus(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    causal_topics: pd.DataFrame,
    synthetic_queries: dict[str, pd.DataFrame],
    reworded_queries: pd.DataFrame,
    human_annotations: dict,
) -> dg.MaterializeResult:
    """Questions and their readings: generated, reworded, written, and annotated; split by topic and phrasing family.

    Of a generated question that people have judged, what they settled on counts, if anything, and not what was generated.
    """
    from training.agreement import adjudicate
    from training.annotation import ImportReport
    from training.corpora import items_from, unlike
    from training.corpora import retrieval_corpus as corpus_of
    from training.digests import folder_digest
    from training.written import FOLDER, load_written

    def build() -> Made:
        frame = pd.concat([synthetic_queries[task] for task in TASKS], ignore_index=True)
        train, held_out = (items_from(frame[frame["split"] == s]) for s in ("train", "held_out"))
        outside = set(causal_topics.query("split != 'train'")["topic"])
        families = {item.family for item in held_out} if "family" in profile.queries.unseen else set()
        people = ImportReport.model_validate(human_annotations).items
        settled = adjudicate(people).settled
        judged = {said.item_id for said in people}
        asked = {item.question for item in held_out}
        annotated = unlike([i for i in settled if i.topic not in outside and i.family not in families], asked)
        written = unlike(load_written(FOLDER) if profile.queries.written else (), asked)
        generated = unlike([item for item in train if item.id not in judged], asked)
        reworded = unlike(items_from(reworded_queries), asked)
        corpus = corpus_of(generated, held_out, annotated, written, reworded, profile.queries.unseen)
        counts = pd.crosstab(corpus["split"], corpus["task"])
        return Made(
            corpus,
            {
                "rows": len(corpus),
                "train": int((corpus["split"] == "train").sum()),
                "held_out": len(held_out),
                "annotated": len(annotated),
                "written": len(written),
                "reworded": len(reworded),
                "annotated_left_out": len(settled) - len(annotated),
                "generated_left_out": len(train) - len(generated),
                "counts": markdown(counts.to_markdown()),
                "preview": markdown(corpus[["question", "completion"]].head(5).to_markdown(index=False)),
            },
        )

    settings = {
        "unseen": profile.queries.unseen,
        "written": profile.queries.written and folder_digest(FOLDER, "*.yaml"),
    }
    return make(context, files, settings, build)


@dg.asset(group_name="corpora", owners=["team:causalsmith"], kinds={"parquet", "huggingface"}, code_version="4")
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
                items += items_from(synthetic_queries[task].query("split == 'train'"))

        def report(done: int, total: int) -> None:
            if done % 10 == 0 or done == total:
                context.log.info(f"{done} of {total} results explained")

        frame = corpus_of(items, sizes.rows, profile.seed, report, sizes.pairs_per_task)
        refused = frame.attrs.get("refused", {})
        for item, reason in refused.items():
            context.log.info(f"{item} has no answer: {reason}")
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


@dg.asset(group_name="corpora", owners=["team:causalsmith"], kinds={"parquet", "json", "huggingface"}, code_version="1")
def published_corpora(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    retrieval_corpus: pd.DataFrame,
    interpretation_corpus: pd.DataFrame,
) -> dg.MaterializeResult:
    """Both corpora as folders that ``datasets.load_dataset`` opens, each with its card, as Parquet and JSON lines."""
    from tempfile import TemporaryDirectory

    from training.publication import CORPUS_VERSION, publish_corpus

    def build() -> Made:
        folder = Path(scratch)
        facts = {
            "profile": profile.name,
            "seed": profile.seed,
            "unseen when held out": ", ".join(profile.queries.unseen),
        }
        retrieval = (
            "Causal questions about data files, each with the file's columns and the structured query that it asks for. "
            "Held-out questions share neither topic nor, where the table says so, phrasing family with training questions."
        )
        interpretation = (
            "Results of causal tools on simulated files, each with an explanation in plain words that a program has checked: "
            "every number is the result's, and none that matters is missing."
        )
        publish_corpus(retrieval_corpus, "Causal questions", retrieval, facts, folder / "retrieval")
        rows = {**facts, "rows of each simulated file": profile.interpretation.rows}
        publish_corpus(interpretation_corpus, "Causal explanations", interpretation, rows, folder / "interpretation")
        card = (folder / "retrieval" / "README.md").read_text(encoding="utf-8").split("---", 2)[2]
        return Made(folder, {"version": CORPUS_VERSION, "card": markdown(card)})

    with TemporaryDirectory(prefix="causalsmith-corpora") as scratch:
        return make(context, files, {"profile": profile.name, "version": CORPUS_VERSION}, build)


@dg.asset_check(
    asset="retrieval_corpus",
    blocking=True,
    description="Great Expectations: schema, tasks, splits, lengths, form of the readings.",
)
def retrieval_corpus_is_sound(retrieval_corpus: pd.DataFrame) -> dg.AssetCheckResult:
    """Whether the retrieval corpus can be trained on."""
    from validation.suites import retrieval_expectations, validate

    expectations = retrieval_expectations(TASKS)
    return as_check_result(validate(retrieval_corpus, "retrieval corpus", expectations, data_docs()))


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
    expectations = interpretation_expectations(tasks)
    return as_check_result(validate(interpretation_corpus, "interpretation corpus", expectations, data_docs()))
