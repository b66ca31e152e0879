"""Is the held-out side of a split really unseen?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from validation.results import CheckResult


def check_split(frame: pd.DataFrame, columns: Sequence[str]) -> CheckResult:
    """Passed where no value of the given columns stands both in training and in the held-out rows.

    Args:
        frame: with ``split`` (train, held_out) and the columns.
        columns: what must not be shared.
    """
    train, held_out = (frame[frame["split"] == side] for side in ("train", "held_out"))
    lines = []
    for name in columns:
        seen, unseen = set(train[name]), set(held_out[name])
        shared = sorted(seen & unseen)
        lines.append((name, len(seen), len(unseen), len(shared), shared[0] if shared else ""))
    table = pd.DataFrame(lines, columns=["column", "in training", "held out", "in both", "example"])
    leaks = int(table["in both"].sum())
    passed = leaks == 0 and len(train) > 0 and len(held_out) > 0
    text = f"{len(train)} training and {len(held_out)} held-out rows; {leaks} values of {', '.join(columns)} stand in both."
    return CheckResult("split", passed, text, table)
