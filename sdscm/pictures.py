"""A scenario's graph as a small picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from sdscm.layout import Places, bend_of, is_dense, place_nodes
from sdscm.scenario import Role, Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Ellipse, Patch

_COLOURS: dict[Role, str] = {
    "treatment": "#f2b134",
    "outcome": "#e4572e",
    "mediator": "#a8c686",
    "hidden": "#d9d9d9",
    "instrument": "#c3b1e1",
    "covariate": "#9ec5e8",
    "exogenous": "#f4f4f4",
}
_SILENT = "#ffffff"
_LINE = "#555555"
_MANY_EDGES = 120  # above which arrows end near their node's rim, not exactly there, which takes a third of the time
_NARROWEST = 4.8  # inches; the legend needs them


def draw_dag(scenario: Scenario, dots_per_inch: int = 80) -> bytes:
    """PNG of the graph: colours by role, hidden and silent variables and what comes from them dashed.

    Args:
        scenario: whose graph; the edge from treatment to outcome is bold.
        dots_per_inch: a node is about one inch wide.
    """
    from matplotlib.figure import Figure

    sizes = {name: _size(name) for name in scenario.names}
    places = place_nodes(scenario.to_networkx(), sizes)
    keys = _legend(scenario)
    columns = len(keys) if len(keys) <= 4 else 3
    bends = {(cause, effect): bend_of(cause, effect, places, sizes) for cause, effect in scenario.edges()}
    summits = [_summit(places[cause], places[effect], bend) for (cause, effect), bend in bends.items()]
    left, bottom = np.min([*(places[name] - sizes[name] / 2 for name in places), *summits], axis=0)
    right, top = np.max([*(places[name] + sizes[name] / 2 for name in places), *summits], axis=0)
    side = max(0.4, (_NARROWEST - (right - left)) / 2)
    left, right, bottom, top = left - side, right + side, bottom - 0.45 - 0.25 * -(-len(keys) // columns), top + 0.25

    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    _draw_edges(axes, scenario, places, sizes, bends, _draw_nodes(axes, scenario, places, sizes))
    axes.legend(handles=keys, loc="lower center", ncol=columns, fontsize=8, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch)
    return buffer.getvalue()


def _draw_nodes(axes: Axes, scenario: Scenario, places: Places, sizes: Places) -> dict[str, Ellipse]:
    from matplotlib.patches import Ellipse

    nodes = {}
    for variable in scenario.variables:
        x, y = places[variable.name]
        width, height = sizes[variable.name]
        nodes[variable.name] = Ellipse(
            (x, y),
            width,
            height,
            facecolor=_SILENT if variable.silent else _COLOURS[variable.role],
            edgecolor=_LINE,
            linestyle="--" if variable.role == "hidden" else "-",
            linewidth=1.2,
            zorder=2,
        )
        axes.add_patch(nodes[variable.name])
        axes.text(x, y, _label(variable.name), ha="center", va="center", fontsize=9, zorder=3)
    return nodes


def _draw_edges(
    axes: Axes,
    scenario: Scenario,
    places: Places,
    sizes: Places,
    bends: dict[tuple[str, str], float],
    nodes: dict[str, Ellipse],
) -> None:
    from matplotlib.patches import FancyArrowPatch

    dense = is_dense(scenario.to_networkx())
    many = len(bends) > _MANY_EDGES
    for (cause, effect), bend in bends.items():
        main = scenario[cause].role == "treatment" and scenario[effect].role == "outcome"
        hidden = scenario[cause].role == "hidden"
        axes.add_artist(  # add_patch would work out each arrow's path once more, for limits that are fixed
            FancyArrowPatch(
                tuple(places[cause]),
                tuple(places[effect]),
                patchA=nodes[cause]
                if hidden
                else None,  # a solid line may begin under its node; dashes begin at the rim
                patchB=None if many else nodes[effect],
                shrinkA=0,
                shrinkB=_reach(places[cause] - places[effect], sizes[effect]) if many else 1,
                arrowstyle="-|>",
                mutation_scale=9 if dense else 13,
                connectionstyle=f"arc3,rad={bend}",
                linestyle="--" if hidden else "-",
                color="#000000" if main else _LINE,
                linewidth=2 if main else 0.6 if dense else 1.1,
                alpha=0.6 if dense and not main else 1,
                zorder=1,
            )
        )


def _summit(start: np.ndarray, end: np.ndarray, bend: float) -> np.ndarray:
    """Where a curved edge is farthest from the straight one."""
    return (start + end) / 2 + bend / 2 * np.array([end[1] - start[1], start[0] - end[0]])


def _reach(direction: np.ndarray, size: np.ndarray) -> float:
    """Points from the centre of a node to just beyond its rim, in a direction."""
    return 1 + 72 / float(np.hypot(*(2 * direction / np.hypot(*direction) / size)))


def _legend(scenario: Scenario) -> list[Patch]:
    from matplotlib.patches import Patch

    patches = []
    for role, silent in dict.fromkeys((variable.role, variable.silent) for variable in scenario.variables):
        patches.append(
            Patch(
                facecolor=_SILENT if silent else _COLOURS[role],
                edgecolor=_LINE,
                linestyle="--" if role == "hidden" else "-",
                label="silent" if silent else role,
            )
        )
    return patches


def _label(name: str) -> str:
    """The name on one line, or on two of like length."""
    words = name.split("_")
    splits = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]
    if len(name) <= 11 or not splits:
        return " ".join(words)
    return "\n".join(min(splits, key=lambda lines: max(map(len, lines))))


def _size(name: str) -> np.ndarray:
    """(width, height) of a node in inches."""
    lines = _label(name).split("\n")
    return np.array([max(0.8, 0.32 + 0.082 * max(map(len, lines))), 0.46 if len(lines) == 1 else 0.58])
