"""The tool's figure: of thirty plain and thirty hard files, how many graphs are right."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from causal_tools.contract import Edge, GraphResult
from causal_tools.graph import learn_graph

from .graph_simulators import Kind, SimulatedFile, equivalence_class, hard_files, plain_files, score, simulated


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("files", "fewest"), [(plain_files, 29), (hard_files, 27)])
def test_nearly_all_graphs_of_thirty_files_are_right(files: Callable[[], Iterable[SimulatedFile]], fewest: int) -> None:
    """Right is the equivalence class, and where the data tell them, directions and weights within 0.5."""
    wrong = [file.name for file in files() if not score(learn_graph(file.query, file.frame, checks=False), file)]
    assert len(wrong) <= 30 - fewest, wrong


@pytest.mark.parametrize("kind", ["not Gaussian", "Gaussian"])
def test_the_score_takes_the_truth_and_nothing_else(kind: Kind) -> None:
    file = simulated(kind, 7, hard=False)
    if file.directions_told:
        truth = [Edge(source=a, target=b, weight=weight) for (a, b), weight in file.edges.items()]
    else:
        truth = [Edge(source=a, target=b, mark=mark) for a, b, mark in equivalence_class(file.edges)]  # type: ignore[arg-type]

    def right(edges: list[Edge]) -> bool:
        return score(GraphResult(query=file.query, method="", estimate=0, n_rows=1, edges=edges), file)

    first = truth[0]
    other = {"mark": "<->"} if first.mark == "---" else {"source": first.target, "target": first.source}
    assert right(truth)
    assert right(truth[::-1])
    assert not right(truth[1:])
    assert not right([first.model_copy(update=other), *truth[1:]])
    if first.weight is not None:
        assert right([first.model_copy(update={"weight": first.weight + 0.4}), *truth[1:]])
        assert not right([first.model_copy(update={"weight": first.weight + 0.6}), *truth[1:]])
