"""Figures over nights: a control band from the nights before, and what has left it.

Source: Shewhart (1931), the p-chart and the chart of individual values; Agresti and Coull (1998), "Approximate is better than
'exact' for interval estimation of binomial proportions", which counts two more
successes and failures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from validation.results import CheckResult

FEWEST_NIGHTS = 5
LAST_NIGHTS = 30
SIGMAS = 3.0
MOVING_RANGE = (
    1.128  # mean range of two standard normal values, by which a mean moving range becomes a standard deviation
)


@dataclass(frozen=True)
class Band:
    """Where a figure is expected: the mean of the nights before, and three standard deviations on either side."""

    centre: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def control_band(shares: Sequence[float], questions: Sequence[int], tonight: int | None = None) -> Band | None:
    """The band of a share from the nights before; None for fewer than five of them.

    The standard deviation is the larger of two: that of a share of so many independent questions, and that of the figure
    from night to night (moving range). The first alone would be too narrow where models change, the second where they do not.

    A night of fewer questions than those before has a share that spreads more, and a wider band. One of more keeps the band
    of the others: what is known of their centre is no surer than their questions make it.

    Args:
        shares: of each night, oldest first; the last thirty count.
        questions: that each share is of.
        tonight: questions of the night that is held against the band; as many as the others had on average by default.
    """
    if len(shares) < FEWEST_NIGHTS:
        return None
    values = np.asarray(shares, dtype=float)[-LAST_NIGHTS:]
    sizes = np.asarray(questions, dtype=float)[-LAST_NIGHTS:]
    centre = float(np.average(values, weights=sizes))
    size = sizes.mean() if tonight is None else max(1.0, min(sizes.mean(), tonight))
    least = 2 / (size + 4)
    inner = min(max(centre, least), 1 - least)  # a share of 0 or 1 has a spread too
    binomial = np.sqrt(inner * (1 - inner) / size)
    moving = np.abs(np.diff(values)).mean() / MOVING_RANGE
    width = SIGMAS * max(float(binomial), float(moving))
    return Band(centre, max(0.0, centre - width), min(1.0, centre + width))


def drifted(nights: Sequence[Mapping[str, tuple[float, int]]]) -> CheckResult:
    """Whether the last night's figures are where those before let expect them.

    Args:
        nights: oldest first, each by name of a figure its share and the questions it is of.

    Returns:
        Passed where every figure with a band lies in it; the table has a line a figure of the last night.
    """
    lines = []
    last = nights[-1] if nights else {}
    for name, (share, questions) in last.items():
        before = [night[name] for night in nights[:-1] if name in night]
        band = control_band([value for value, _ in before], [count for _, count in before], questions)
        bounds = (band.low, band.centre, band.high) if band else (np.nan, np.nan, np.nan)
        lines.append((name, share, questions, len(before), *bounds, band is None or band.holds(share)))
    columns = ["figure", "share", "questions", "nights_before", "low", "centre", "high", "holds"]
    table = pd.DataFrame(lines, columns=columns)
    out = table[~table["holds"].astype(bool)] if len(table) else table
    if len(out):
        told = [f"{r.figure} is {r.share:.3f}, outside {r.low:.3f} to {r.high:.3f}" for r in out.itertuples()]
        text = "; ".join(told) + "."
    elif len(table) and table["low"].isna().all():
        text = f"No band yet: it takes {FEWEST_NIGHTS} nights before this one."
    else:
        text = "Every figure is within its control band."
    return CheckResult("drift", out.empty, text, table)
