"""The model in other libraries says the same."""

from __future__ import annotations

import sys

import networkx as nx
import numpy as np
import pytest

from sdscm import TooLarge, load_scenario
from sdscm.exact import ExactLaws
from sdscm.export import to_networkx, to_pgmpy

from .laws import confounder
from .units import CONFOUNDED, entangled, random_laws


@pytest.mark.parametrize("one", [load_scenario("tutoring"), entangled()], ids=lambda one: one.name)
def test_pgmpys_own_elimination_gives_our_laws(one):
    pytest.importorskip("pgmpy")
    from pgmpy.inference import VariableElimination

    known = random_laws(one, 6)
    exact, engine = ExactLaws(one, known, 10_000), VariableElimination(to_pgmpy(one, known))
    last = one.names[-1]
    for name in one.names[:-1]:
        given = {last: one[last].levels[-1]}
        theirs = engine.query([name], evidence=given, show_progress=False)
        assert theirs.state_names[name] == list(one[name].levels)
        assert np.allclose(theirs.values, exact.marginal(name, given=given), atol=1e-12)
        both = engine.query([name, last], show_progress=False)
        ours = exact.law(both.variables)
        assert np.allclose(both.values, ours, atol=1e-12)


def test_pgmpys_tables_are_ours_cell_by_cell():
    pytest.importorskip("pgmpy")
    network = to_pgmpy(confounder(), CONFOUNDED)
    table = network.get_cpds("y")
    assert table.variables == ["y", "z", "t"]
    assert np.allclose(table.values[1], [[0.1, 0.3], [0.4, 0.8]])
    assert set(network.edges()) == {("z", "t"), ("z", "y"), ("t", "y")}
    assert table.state_names == {"y": ["no", "yes"], "z": ["no", "yes"], "t": ["no", "yes"]}


def test_without_pgmpy_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pgmpy.models", None)
    monkeypatch.setitem(sys.modules, "pgmpy.factors.discrete", None)
    with pytest.raises(ImportError, match="pip install 'pgmpy"):
        to_pgmpy(confounder(), CONFOUNDED)


def test_the_graph_has_the_roles_levels_and_edges():
    graph = to_networkx(load_scenario("tutoring"))
    assert list(graph) == load_scenario("tutoring").names
    assert graph.nodes["tutoring"]["role"] == "treatment"
    assert graph.nodes["income"]["levels"] == ("low", "middle", "high")
    assert "school_size" in graph
    assert nx.is_directed_acyclic_graph(graph)
    assert all("nats" not in data for *_, data in graph.edges(data=True))


def test_with_tables_each_edge_has_its_strength_in_nats():
    """z → t by hand: the entropy of t less that given z."""
    graph = to_networkx(confounder(), CONFOUNDED)

    def entropy(p):
        return -(p * np.log(p) + (1 - p) * np.log(1 - p))

    strength = entropy(0.4) - 0.6 * entropy(0.2) - 0.4 * entropy(0.7)
    assert graph.edges["z", "t"]["nats"] == pytest.approx(strength)
    assert set(graph.edges) == {("z", "t"), ("z", "y"), ("t", "y")}


def test_exports_beyond_the_limit_are_refused():
    with pytest.raises(TooLarge, match="14 cells, more than the limit of 13"):
        to_networkx(confounder(), CONFOUNDED, limit=13)
    with pytest.raises(TooLarge):
        pytest.importorskip("pgmpy")
        to_pgmpy(confounder(), CONFOUNDED, limit=13)
