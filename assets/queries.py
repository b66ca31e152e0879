"""Questions: the topics they are about, the synthetic ones, and those handed to annotators."""

import dagster as dg
import pandas as pd

from assets.making import Made, make, markdown
from assets.partitions import TASKS, by_task
from assets.profile import Profile
from assets.recordings import StoredRecordings
from assets.storage import FileStore, Stored
from training.grammar import Split

COMPLETE = "nothing is absent"


@dg.asset(group_name="queries", owners=["team:causalsmith"], kinds={"python", "parquet"}, code_version="2")
def causal_topics(
    context: dg.AssetExecutionContext, profile: dg.ResourceParam[Profile], files: dg.ResourceParam[FileStore]
) -> dg.MaterializeResult:
    """Fields of life with their variables and column spellings: for training, held out, or reserved for the frozen set."""
    from training.digests import folder_digest
    from training.test_sets import unseen_topics
    from training.topic_library import TOPIC_FOLDER, load_topics, split_topics

    def build() -> Made:
        topics, reserved = load_topics(), unseen_topics()
        offered = [topic for topic in topics if topic.name not in reserved]
        train, held_out = split_topics(offered, profile.queries.held_out_topics, profile.seed)
        sides = dict.fromkeys((topic.name for topic in topics), "reserved")
        sides |= {topic.name: "train" for topic in train} | {topic.name: "held_out" for topic in held_out}
        rows = [
            (topic.name, sides[topic.name], len(topic.variables), ", ".join(v.name for v in topic.variables))
            for topic in topics
        ]
        frame = pd.DataFrame(rows, columns=["topic", "split", "variables", "names"])
        return Made(
            frame,
            {
                "topics": len(frame),
                "held_out": len(held_out),
                "reserved": len(reserved),
                "variables": int(frame["variables"].sum()),
                "preview": markdown(frame.head(8).to_markdown(index=False)),
            },
        )

    chosen = {"share": profile.queries.held_out_topics, "seed": profile.seed, "reserved": sorted(unseen_topics())}
    return make(context, files, {**chosen, "topics": folder_digest(TOPIC_FOLDER, "*.yaml")}, build)


@dg.asset(
    group_name="queries",
    owners=["team:causalsmith"],
    kinds={"python", "parquet"},
    partitions_def=by_task,
    code_version="2",
)
def synthetic_queries(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    causal_topics: pd.DataFrame,
) -> dg.MaterializeResult:
    """Causal questions of one task, each made from its structured query, for training and for testing."""
    from training.corpora import items_frame
    from training.digests import folder_digest
    from training.grammar.library import FOLDER
    from training.queries import make_queries
    from training.topic_library import TOPIC_FOLDER, load_topics

    task, sizes = context.partition_key, profile.queries

    def build() -> Made:
        side = dict(zip(causal_topics["topic"], causal_topics["split"], strict=True))
        topics = {
            split: [topic for topic in load_topics() if side[topic.name] == split] for split in ("train", "held_out")
        }
        train = make_queries(task, sizes.train_per_task, profile.seed, topics["train"], "train")
        families: Split = "held_out" if sizes.unseen_families else "train"
        offered = make_queries(task, 2 * sizes.held_out_per_task, profile.seed + 1, topics["held_out"], families)
        asked = {item.question for item in train}  # small talk names no topic, so it could come up on both sides
        held_out = [item for item in offered if item.question not in asked][: sizes.held_out_per_task]
        frame = pd.concat(
            [items_frame(train).assign(split="train"), items_frame(held_out).assign(split="held_out")],
            ignore_index=True,
        )
        return Made(
            frame,
            {
                "questions": len(frame),
                "families": int(frame["family"].nunique()),
                "topics": int(frame["topic"].nunique()),
                "mean_words": float(frame["question"].str.count(r"\S+").mean()),
                "preview": markdown(
                    frame[["split", "topic", "question"]]
                    .iloc[:: max(1, len(frame) // 8)]
                    .head(8)
                    .to_markdown(index=False)
                ),
            },
        )

    made_of = {"topics": folder_digest(TOPIC_FOLDER, "*.yaml"), "families": folder_digest(FOLDER, "*.yaml")}
    return make(context, files, {**sizes.model_dump(), "seed": profile.seed, **made_of}, build)


@dg.asset(group_name="queries", owners=["team:causalsmith"], kinds={"openai", "parquet"}, code_version="2", pool="api")
def reworded_queries(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    recordings: dg.ResourceParam[StoredRecordings],
    synthetic_queries: dict[str, pd.DataFrame],
) -> dg.MaterializeResult:
    """Training questions put into other words by a hosted model: each checked; some refused ones are shown, with the reason.

    Empty where the profile asks for none, or where there is neither a key nor a recording.
    """
    from training.corpora import items_frame, items_from
    from training.topic_library import load_topics
    from training.writer import reword

    wanted = profile.queries.reworded_per_task
    endpoint = recordings.endpoint(profile.writer)

    def report(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            context.log.info(f"{done} of {total} questions reworded")

    def build() -> Made:
        drafts = [
            item
            for task in TASKS
            if task != "NONE"
            for item in items_from(synthetic_queries[task].query("split == 'train'"))[:wanted]
        ]
        written = reword(endpoint, drafts, load_topics(), report)
        refused = pd.DataFrame([vars(one) for one in written.refused], columns=["item_id", "wording", "reason"])
        return Made(
            items_frame(written.items),
            {
                "model": profile.writer.model,
                "asked_for": len(drafts),
                "reworded": len(written.items),
                "refused": len(refused),
                "calls": endpoint.calls,
                "dollars": endpoint.spent,
                "recorded": recordings.count() if wanted else 0,
                "why_absent": "; ".join(written.unasked)[:500] or COMPLETE,
                "refused_wordings": markdown(refused.head(20).to_markdown(index=False) if len(refused) else "none"),
            },
        )

    def nothing_to_ask(stored: Stored) -> bool:
        """Complete; or no key, and no recording that has come since."""
        return (
            not wanted
            or stored.metadata["why_absent"] == COMPLETE
            or (not endpoint.can_call and stored.metadata["recorded"] == recordings.count())
        )

    settings = {"model": profile.writer.model, "base_url": profile.writer.base_url, "wanted": wanted}
    return make(context, files, settings, build, still_holds=nothing_to_ask)


@dg.asset(group_name="queries", owners=["team:causalsmith"], kinds={"json", "labelstudio"}, code_version="1")
def annotation_tasks(
    context: dg.AssetExecutionContext,
    profile: dg.ResourceParam[Profile],
    files: dg.ResourceParam[FileStore],
    synthetic_queries: dict[str, pd.DataFrame],
) -> dg.MaterializeResult:
    """Training questions as a Label Studio project: tasks with the query pre-annotated, and the labelling configuration."""
    from training import annotation
    from training.corpora import items_from

    def build() -> Made:
        each = max(1, profile.queries.annotation_tasks // len(TASKS))
        picked = [
            item for task in TASKS for item in items_from(synthetic_queries[task].query("split == 'train'"))[:each]
        ]
        tasks = annotation.annotation_tasks(picked, {"seed": str(profile.seed), "profile": profile.name})
        return Made(
            {"labelling_configuration": annotation.labelling_configuration(), "tasks": tasks},
            {
                "tasks": len(tasks),
                "preview": markdown(
                    pd.DataFrame({"question": [i.question for i in picked[:8]]}).to_markdown(index=False)
                ),
            },
        )

    return make(context, files, {"tasks": profile.queries.annotation_tasks}, build)
