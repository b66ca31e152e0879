"""One clean picture for each kind of result."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from causal_tools.contract import TASKS, CausalResult, EffectResult, GraphResult, MediationResult, PolicyResult
from causal_tools.subgroups import LEVEL
from causal_tools.summary import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, ACCENT, MUTED = "#1f2933", "#0b6e99", "#9aa5b1"


def plot_result(result: CausalResult, path: str | Path) -> Path:
    """Draw the result as a PNG; the file appears whole or not at all.

    Returns:
        The path written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = Path(path)
    figure = Figure(figsize=(7, _height(result)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if isinstance(result, GraphResult):
        _graph(axes, result)
    elif "effect_curve" in result.diagnostics:
        _curve(axes, result)
    else:
        _intervals(axes, *_rows(result))
        axes.set_xlabel(_literal(_axis(result)))
    axes.set_title(_literal(picture_title(result)), fontsize=10, color=INK, loc="left")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    figure.savefig(beside, dpi=150, format="png")
    beside.replace(path)
    return path


def picture_title(result: CausalResult) -> str:
    """Task, file, rows and whom it is about, in lines that fit."""
    conditions = " and ".join(map(str, result.query.conditions))
    where = f" · where {conditions}" if conditions else ""
    text = f"{TASKS[result.task].capitalize()} · {result.query.dataset or 'data'} · {result.n_rows} rows{where}"
    return textwrap.fill(text, 85, max_lines=3)


def _height(result: CausalResult) -> float:
    """Inches: graphs and curves are square-ish, intervals as tall as there are of them."""
    if isinstance(result, GraphResult) or "effect_curve" in result.diagnostics:
        return 5
    return max(3.4, 1 + 0.45 * len(_rows(result)[0]))


def _literal(text: str) -> str:
    """Column names may hold a dollar sign, which would start a formula."""
    return text.replace("$", r"\$")


Interval = tuple[float, float] | None


def _rows(result: CausalResult) -> tuple[list[str], list[float], list[Interval], int | None]:
    """Labels, values, intervals, and which row to stress."""
    if isinstance(result, MediationResult):
        return (
            ["total", "direct", f"indirect, through {result.query.mediator}"],
            [result.total, result.direct, result.indirect],
            [result.interval, result.direct_interval, result.indirect_interval],
            None,
        )
    if isinstance(result, PolicyResult):
        actions = list(result.values)
        intervals: list[Interval] = [tuple(result.diagnostics["action_intervals"][action]) for action in actions]
        means = [result.values[action] for action in actions]
        done = result.diagnostics
        return (
            [*actions, "as done in the data"],
            [*means, done["behaviour_value"]],
            [*intervals, tuple(done["behaviour_value_interval"])],
            actions.index(str(result.action)),
        )
    labels, values, ends = ["adjusted"], [result.estimate], [result.interval]
    for name in ("difference_in_means", "unadjusted_slope"):
        if name in result.diagnostics and "nothing was adjusted" not in result.method:
            labels.append("not adjusted")
            values.append(result.diagnostics[name])
            ends.append(tuple(result.diagnostics[f"{name}_interval"]))
    for group in _groups(result):
        labels.append(f"where {group['group']}")
        values.append(group["estimate"])
        ends.append(tuple(group["interval"]))
    return labels, values, ends, 0


def _groups(result: CausalResult) -> list[dict[str, Any]]:
    """The groups of the covariate with which an average effect differs most clearly; none where it does not."""
    found = result.diagnostics.get("effects_by_group", [])
    if not found or result.query.conditions or found[0]["p_value"] >= LEVEL:
        return []
    return list(found[0]["groups"])


def _axis(result: CausalResult) -> str:
    query = result.query
    if isinstance(result, PolicyResult):
        if query.second_treatment is not None and result.second_action is None:
            return f"mean {query.response} under each {query.treatment}, then the learned {query.second_treatment}"
        return f"mean {query.response} under each {query.second_treatment or query.treatment}"
    if isinstance(result, (EffectResult, MediationResult)):
        return f"effect on {query.response} of {query.treatment}: {result.contrast[0]} → {result.contrast[1]}"
    return ""


def _intervals(
    axes: Axes, labels: list[str], values: list[float], intervals: list[Interval], stressed: int | None
) -> None:
    for row, (value, interval) in enumerate(zip(values, intervals, strict=True)):
        colour = ACCENT if stressed is None or row == stressed else MUTED
        if interval is not None:
            axes.plot(interval, [row, row], color=colour, linewidth=2.5, solid_capstyle="round")
        axes.plot([value], [row], "o", color=colour, markersize=8)
        axes.annotate(
            format_number(value),
            (value, row),
            textcoords="offset points",
            xytext=(0, 9),
            ha="center",
            fontsize=9,
            color=INK,
        )
    low, high = axes.get_xlim()
    if low <= 0 <= high or min(abs(low), abs(high)) < (high - low):
        axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(labels)), [_literal(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _curve(axes: Axes, result: CausalResult) -> None:
    """The effect along the column asked about, the value asked about stressed."""
    points = result.diagnostics["effect_curve"]
    label = points[0]["column"]
    along = [point["at"] for point in points]
    low, high = zip(*(point["interval"] for point in points), strict=True)
    axes.fill_between(along, low, high, color=ACCENT, alpha=0.18, linewidth=0)
    axes.plot(along, [point["estimate"] for point in points], color=ACCENT, linewidth=1.8)
    asked = next(float(c.value) for c in result.query.conditions if c.column == label and c.operator == "=")  # type: ignore[arg-type]
    if result.interval is not None:
        axes.plot([asked, asked], result.interval, color=INK, linewidth=2.5, solid_capstyle="round")
    axes.plot([asked], [result.estimate], "o", color=INK, markersize=8)
    axes.annotate(
        format_number(result.estimate),
        (asked, result.estimate),
        textcoords="offset points",
        xytext=(10, -12),
        fontsize=9,
    )
    axes.axhline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.set_xlabel(_literal(label))
    axes.set_ylabel(_literal(_axis(result)), fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _graph(axes: Axes, result: GraphResult) -> None:
    import networkx as nx

    nodes = result.diagnostics.get("nodes") or sorted(
        {end for edge in result.edges for end in (edge.source, edge.target)}
    )
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    place = {name: np.asarray(point) for name, point in nx.circular_layout(graph).items()}

    def rim(name: str, towards: str) -> np.ndarray:
        """Where a line to another node leaves the box around a name."""
        line = np.abs(place[towards] - place[name])
        half = np.array([0.07 + 0.016 * len(str(name)), 0.12])
        share = min(float(size / length) for size, length in zip(half, line, strict=True) if length > 1e-9)
        return np.asarray(place[name] + min(share, 0.45) * (place[towards] - place[name]))

    for edge in result.edges:
        start, end = rim(edge.source, edge.target), rim(edge.target, edge.source)
        colour = ACCENT if edge.mark == "-->" else MUTED
        left, right = edge.mark[0], edge.mark[-1]
        axes.annotate(
            "",
            xy=tuple(end),
            xytext=tuple(start),
            arrowprops={
                "arrowstyle": f"{'<|' if left == '<' else ''}-{'|>' if right == '>' else ''}",
                "color": colour,
                "linewidth": 1.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": 16,
            },
        )
        for point, mark in ((start, left), (end, right)):
            if mark == "o":
                axes.plot(*point, "o", ms=8, mfc="white", mec=colour, mew=1.6, zorder=4)
        if edge.weight is not None:
            middle = 0.62 * place[edge.target] + 0.38 * place[edge.source]
            axes.text(
                float(middle[0]),
                float(middle[1]),
                format_number(edge.weight),
                fontsize=8,
                color=INK,
                ha="center",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
    for name, (x, y) in place.items():
        axes.text(
            x,
            y,
            _literal(str(name)),
            ha="center",
            va="center",
            fontsize=9,
            color=INK,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": "#eef3f6", "edgecolor": MUTED},
        )
    axes.set_xlim(-1.4, 1.4)
    axes.set_ylim(-1.3, 1.3)
    axes.axis("off")
