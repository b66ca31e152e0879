"""The scoreboard as a picture, and figures over nights with their control bands."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from validation.drift import control_band
from validation.published import NOTE, published_figures

INK, ACCENT, MUTED, ALARM = "#1f2933", "#0b6e99", "#9aa5b1", "#b5532a"
SHOWN = ("reading_exact", "answer_correct", "explanation_faithful")


def scoreboard_picture(scores: pd.DataFrame) -> bytes:
    """Shares of all systems with their intervals, a panel a metric, published figures as dotted lines; PNG.

    Args:
        scores: ``metric``, ``system``, ``task``, ``share``, ``low``, ``high``; lines of task ``all`` are drawn.
    """
    whole = scores[scores["task"] == "all"]
    metrics = [name for name in SHOWN if name in set(whole["metric"])] or list(whole["metric"].unique()[:1])
    systems = list(dict.fromkeys(whole["system"]))[::-1]
    figure, panels = _figure(len(metrics), 0.32 * len(systems) + 1.3)
    for axes, metric in zip(panels, metrics, strict=True):
        part = whole[whole["metric"] == metric].set_index("system")
        for place, system in enumerate(systems):
            if system in part.index:
                row = part.loc[system]
                axes.plot([row["low"], row["high"]], [place, place], color=MUTED, linewidth=2, solid_capstyle="round")
                axes.plot(row["share"], place, "o", color=ACCENT if system == "challenger" else INK, markersize=5)
        for share in published_figures().query("metric == @metric")["share"]:
            axes.axvline(share, color=ALARM, linestyle=":", linewidth=1)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(systems) - 0.4), title=metric.replace("_", " "))
        axes.set_yticks(range(len(systems)), systems if axes is panels[0] else [""] * len(systems), fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(axis="x", alpha=0.3)
    figure.supxlabel(f"share right, 95 % interval; dotted: {NOTE}", fontsize=8)
    return _png(figure)


def nights_picture(nights: Sequence[tuple[str, Mapping[str, tuple[float, int]]]], names: Sequence[str]) -> bytes:
    """Figures over nights, each with the band that the nights before set for it; PNG.

    Args:
        nights: oldest first: the date, and by name of a figure its share and the questions it is of.
        names: of the figures to draw, a panel each.
    """
    figure, panels = _figure(len(names), 2.4)
    for axes, name in zip(panels, names, strict=True):
        there = [(date, figures[name]) for date, figures in nights if name in figures]
        shares, sizes = [share for _, (share, _) in there], [size for _, (_, size) in there]
        bands = [control_band(shares[:k], sizes[:k], sizes[k]) for k in range(len(there))]
        places = np.arange(len(there))
        low = [band.low if band else np.nan for band in bands]
        high = [band.high if band else np.nan for band in bands]
        axes.fill_between(places, low, high, color=ACCENT, alpha=0.12, linewidth=0)
        axes.plot(places, shares, color=INK, marker="o", markersize=3, linewidth=1)
        out = [k for k, band in enumerate(bands) if band and not band.holds(shares[k])]
        axes.plot(out, [shares[k] for k in out], "o", color=ALARM, markersize=6)
        axes.set(ylim=(-0.02, 1.02), title=name.replace("_", " "))
        few = places[:: max(1, len(places) // 5)]
        axes.set_xticks(few, [there[k][0][5:] for k in few], fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(axis="y", alpha=0.3)
    figure.supxlabel("night; shaded: control band of the nights before", fontsize=8)
    return _png(figure)


def _figure(panels: int, height: float) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * panels + 1.2, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(1, panels)))


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return buffer.getvalue()
