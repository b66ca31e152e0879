"""An audit as a picture: the effect under every phrasing, and what each change of the model does to it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sdscm.audit import BASE, Audit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_VARIANTS = 14


def draw_audit(found: Audit, title: str, dots_per_inch: int = 70) -> bytes:
    """PNG with two panels: effects by phrasing and rule; mean and range of the change by variant, largest first."""
    buffer = io.BytesIO()
    audit_figure(found, title).savefig(buffer, format="png", dpi=dots_per_inch)
    return buffer.getvalue()


def audit_figure(found: Audit, title: str) -> Figure:
    """The picture before it is drawn. The legends stand below the panels, where they hide no effect."""
    from matplotlib.figure import Figure

    rules = [v for v in found.sensitivity["variant"] if v == BASE or v.startswith("rule ")]
    others = found.sensitivity[found.sensitivity["variant"] != BASE]
    others = others.sort_values("largest_difference", ascending=False).head(MOST_VARIANTS)[::-1]
    phrasings = found.effects["phrasing"].nunique()
    figure = Figure(figsize=(10, max(3.2, 0.24 * max(phrasings, len(others)) + 1.4)), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1])
    base = found.effects[found.effects["variant"] == BASE].sort_values("effect")
    place = {phrasing: line for line, phrasing in enumerate(base["phrasing"])}
    for rule, marker in zip(rules, "os^DvP", strict=False):
        part = found.effects[found.effects["variant"] == rule]
        left.errorbar(
            part["effect"],
            [place[phrasing] for phrasing in part["phrasing"]],
            xerr=1.96 * part["error"],
            fmt=marker,
            markersize=6 if rule == BASE else 4,
            alpha=1.0 if rule == BASE else 0.6,
            label=rule,
        )
    left.axvline(0, color="#555555", linewidth=0.8)
    left.set_yticks(range(len(place)), [str(phrasing) for phrasing in place])
    left.set_xlabel(f"effect of {found.treatment} on {found.outcome} (scores)")
    left.set_ylabel("phrasing draw")
    kept = f"sign kept by {found.sign_stability:.0%} of phrasings ({found.sign_interval[0]:.0%} to {found.sign_interval[1]:.0%})"
    left.set_title(f"{title}: {kept}", fontsize=9)
    lines = range(len(others))
    right.barh(lines, others["largest_difference"], color="#d9d9d9", label="largest change of a phrasing (size)")
    right.plot(others["mean_difference"], lines, "o", color="#e4572e", label="mean change")
    right.axvline(0, color="#555555", linewidth=0.8)
    right.set_yticks(
        lines, [variant if len(variant) < 44 else variant[:42] + "…" for variant in others["variant"]], fontsize=8
    )
    right.set_xlabel("change of the effect")
    right.set_title("when the model is changed so", fontsize=9)
    figure.legend(*left.get_legend_handles_labels(), fontsize=8, loc="outside lower left", ncols=3)
    figure.legend(*right.get_legend_handles_labels(), fontsize=8, loc="outside lower right", ncols=3)
    return figure
