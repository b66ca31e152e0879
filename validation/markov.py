"""Does the model's law have every independence that the DAG implies? (the Markov property, exactly, on its tables)"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import pandas as pd

from sdscm.exact import ExactLaws
from validation.power import POWER, detectable_nats, single_level
from validation.results import CheckResult
from validation.separations import Statements, choose_statements


def check_markov_exact(
    exact: ExactLaws,
    edges: Sequence[tuple[str, str]] | None = None,
    tolerance: float = 1e-9,
    *,
    statements: Statements | None = None,
    rows: int | None = None,
    false_discovery: float = 0.01,
) -> CheckResult:
    """Hold the independences that a graph implies against the exact observational law.

    Args:
        exact: the law.
        edges: of the graph, (parent, child); the scenario's own by default.
        tolerance: most conditional mutual information, in nats, that counts as none.
        statements: as of :func:`validation.independence.check_markov`.
        rows: of a data set; edges that it would not show are remarked upon.
        false_discovery: rate at which that data set would be tested.

    Returns:
        Passed where no implied independence has more nats than the tolerance. The table has a line a statement, then a line an
        edge: I(parent; child | other parents). Weak edges (the law is not, or hardly, faithful to the graph) are remarked
        upon and never fail the check.

    Raises:
        TooLarge: the law needs more cells than its limit. Nothing was checked, so there is no result.
        TooManySeparations: every statement is asked for, and there are more than 500.
    """
    scenario = exact.scenario
    graph = scenario.edges() if edges is None else list(edges)
    family, called = choose_statements(scenario.names, graph, statements)
    lines: list[tuple[str, str, float, bool, str]] = []
    for one in family:
        nats = exact.conditional_mutual_information(one.first, one.second, one.given)
        lines.append((str(one), "independence", nats, not nats <= tolerance, ""))  # NaN is a violation
    lines.sort(key=lambda line: -line[2])
    violated = sum(line[3] for line in lines)

    level = single_level(max(1, len(family)), false_discovery)
    weak = 0
    for parent, child, nats in _strengths(exact, graph):
        others = [a for a, b in graph if b == child and a != parent]
        sizes = {name: len(scenario[name].levels) for name in (parent, child, *others)}
        degrees = (sizes[parent] - 1) * (sizes[child] - 1) * prod(sizes[name] for name in others)
        remark = ""
        if nats <= tolerance:
            remark = "tells nothing: the edge could be left out"
        elif rows is not None and nats < detectable_nats(degrees, rows, level):
            remark = f"weaker than {rows:,} rows show with {POWER:.0%} power"
        weak += bool(remark)
        lines.append((f"{parent} → {child}", "edge", nats, False, remark))

    table = pd.DataFrame(lines, columns=["statement", "kind", "nats", "rejected", "remark"])
    text = f"Held {called} against the exact law: {violated} violated (more than {tolerance:g} nats). "
    if not family:
        text = "The graph is complete: it implies no independence, so there is nothing to hold against the law. "
    text += f"{weak} of {len(graph)} edges are remarked upon as weak." if weak else "No edge is remarked upon as weak."
    return CheckResult("markov, exact", violated == 0, text, table)


def _strengths(exact: ExactLaws, edges: Sequence[tuple[str, str]]) -> list[tuple[str, str, float]]:
    """(parent, child, I(parent; child | other parents)) of every edge, strongest last."""
    if list(edges) == exact.scenario.edges():
        found = [(str(a), str(b), float(nats)) for a, b, nats in exact.edge_strengths().itertuples(index=False)]
    else:
        found = []
        for parent, child in edges:
            others = [a for a, b in edges if b == child and a != parent]
            found.append((parent, child, exact.conditional_mutual_information(parent, child, others)))
    return sorted(found, key=lambda edge: edge[2])
