"""Draw the held-out set ``unseen`` and note the digests of all frozen sets. To be run once; a second run asks for --again."""

from __future__ import annotations

import json
import sys

from training.queries import check_item, make_queries
from training.test_sets import FILES, FOLDER, file_digest
from training.topic_library import load_topics, split_topics

EACH = 100
SEED, SHARE = 20261121, 0.2  # of the topics, when there were 88 of them
TASKS = ("CGL", "ATE", "HTE", "MA", "OPO", "NONE")


def main() -> None:
    noted = FOLDER / "digests.json"
    if noted.exists() and "--again" not in sys.argv:
        sys.exit(f"{noted} is there: the sets are frozen, and scores on others would not compare (--again overrides)")
    _, topics = split_topics(load_topics(), SHARE, SEED)
    items = [item for task in TASKS for item in make_queries(task, EACH, SEED, topics, "held_out")]
    faults = {item.id: found for item in items if (found := check_item(item, topics))}
    if faults:
        sys.exit(f"unsound items: {faults}")
    path = FOLDER / FILES["unseen"]
    path.write_text("".join(item.model_dump_json() + "\n" for item in items), encoding="utf-8")
    noted.write_text(json.dumps({name: file_digest(FOLDER / file) for name, file in FILES.items()}, indent=1) + "\n")
    print(f"{len(items)} questions in {path}")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
