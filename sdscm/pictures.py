"""A scenario's graph as a small picture."""

from __future__ import annotations

import io

from sdscm.scenario import Role, Scenario

_COLOURS: dict[Role, str] = {
    "treatment": "#f2b134",
    "outcome": "#e4572e",
    "mediator": "#a8c686",
    "hidden": "#d9d9d9",
    "instrument": "#c3b1e1",
    "covariate": "#9ec5e8",
    "exogenous": "#eeeeee",
}


def draw_dag(scenario: Scenario, dots_per_inch: int = 60) -> bytes:
    """PNG of the graph: causes above effects, colours by role."""
    import networkx as nx
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    graph = nx.DiGraph(scenario.edges())
    graph.add_nodes_from(scenario.names)
    for depth, layer in enumerate(nx.topological_generations(graph)):
        for name in layer:
            graph.nodes[name]["layer"] = -depth
    place = nx.multipartite_layout(graph, subset_key="layer", align="horizontal")
    figure = Figure(
        figsize=(6.5, max(2.5, 0.9 * len({d["layer"] for _, d in graph.nodes(data=True)}))), layout="constrained"
    )
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.margins(0.18, 0.18)
    colours = [_COLOURS[scenario[name].role] for name in graph]
    nx.draw_networkx_nodes(graph, place, ax=axes, node_color=colours, node_size=1500, edgecolors="#555555")
    nx.draw_networkx_edges(
        graph, place, ax=axes, node_size=1500, arrowsize=14, edge_color="#555555", connectionstyle="arc3,rad=0.08"
    )
    labels = {name: name.replace("_", "\n") for name in graph}
    nx.draw_networkx_labels(graph, place, labels, ax=axes, font_size=8)
    roles = list(dict.fromkeys(variable.role for variable in scenario.variables))
    axes.legend(
        handles=[Patch(facecolor=_COLOURS[role], edgecolor="#555555", label=role) for role in roles],
        loc="upper right",
        fontsize=8,
        frameon=False,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch)
    return buffer.getvalue()
