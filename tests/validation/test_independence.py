"""Implied independences against d-separation; the check on data from the true graph and from others."""

from __future__ import annotations

from math import comb

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from sdscm import list_scenarios, load_scenario
from validation import independence
from validation.independence import check_markov, implied_independences, independence_p_value

CHAIN = ("abc", [("a", "b"), ("b", "c")])
COLLIDER = ("abc", [("a", "c"), ("b", "c")])
DIAMOND = ("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])


@st.composite
def dags(draw):
    order = [f"v{i}" for i in range(draw(st.integers(2, 6)))]
    pairs = [(a, b) for i, b in enumerate(order) for a in order[:i]]
    kept = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    return order, [pair for pair, keep in zip(pairs, kept, strict=True) if keep]


def _graph(order, edges) -> nx.DiGraph:
    graph = nx.DiGraph(list(edges))
    graph.add_nodes_from(order)
    return graph


@settings(deadline=None)
@given(dags())
def test_every_statement_is_a_d_separation_and_there_is_one_a_missing_edge(dag):
    order, edges = dag
    statements = implied_independences(order, edges)
    graph = _graph(order, edges)
    for one in statements:
        assert nx.is_d_separator(graph, {one.first}, {one.second}, set(one.given)), str(one)
    assert len(statements) == comb(len(order), 2) - len(edges)
    assert not {(one.second, one.first) for one in statements} & set(edges)


@pytest.mark.parametrize("name", list_scenarios())
def test_the_bundled_scenarios_statements_are_d_separations(name):
    one = load_scenario(name)
    graph = _graph(one.names, one.edges())
    for statement in implied_independences(one.names, one.edges()):
        assert nx.is_d_separator(graph, {statement.first}, {statement.second}, set(statement.given))


def test_statements_read_as_they_are_written_by_hand():
    assert [str(one) for one in implied_independences(*CHAIN)] == ["c ⫫ a | b"]
    assert [str(one) for one in implied_independences(*COLLIDER)] == ["b ⫫ a"]
    assert [str(one) for one in implied_independences(*DIAMOND)] == ["c ⫫ b | a", "d ⫫ a | b, c"]
    assert implied_independences("ab", [("a", "b")]) == []


def _data(order, edges, rows: int, seed: int, strength: float = 0.35) -> pd.DataFrame:
    """Binary data from a DAG: each parent that is 1 raises the chance of a 1."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(index=range(rows))
    for name in order:
        parents = [a for a, b in edges if b == name]
        chance = 0.3 + strength * sum((frame[p] for p in parents), start=np.zeros(rows)) / max(1, len(parents))
        frame[name] = (random.random(rows) < chance).astype(int)
    return frame


@pytest.mark.parametrize("dag", [CHAIN, COLLIDER, DIAMOND], ids=["chain", "collider", "diamond"])
def test_data_from_the_true_graph_pass(dag):
    """At a false-discovery rate of 1 % more than 3 failures of 60 have a probability below .3 %."""
    passed = sum(check_markov(_data(*dag, 800, seed), dag[1]).passed for seed in range(60))
    assert passed >= 57


def test_an_edge_that_the_graph_lacks_is_found():
    data = _data(*DIAMOND, 3000, 1)
    result = check_markov(data, [("a", "b"), ("a", "c"), ("b", "d")])  # c → d is left out
    assert not result.passed
    table = result.table.set_index("independence")
    assert table.loc["d ⫫ c | b", "rejected"]
    assert not table.loc["c ⫫ b | a", "rejected"]
    assert table.loc["d ⫫ a | b", "rejected"]  # a reaches d through c
    assert "2 rejected" in result.text


def test_a_complete_graph_has_nothing_to_test():
    result = check_markov(_data("ab", [], 50, 1), [("a", "b")])
    assert result.passed
    assert "nothing to test" in result.text
    assert result.table.empty


def test_a_test_that_gives_no_number_fails_the_check(monkeypatch):
    monkeypatch.setattr(independence, "independence_p_value", lambda data, seed=0: (float("nan"), "G²"))
    result = check_markov(_data(*CHAIN, 100, 1), CHAIN[1])
    assert not result.passed
    assert "no number" in result.text


def test_a_missing_number_fails_beside_good_ones(monkeypatch):
    values = iter([0.7, float("nan")])
    monkeypatch.setattr(independence, "independence_p_value", lambda data, seed=0: (next(values), "G²"))
    result = check_markov(_data(*DIAMOND, 100, 1), DIAMOND[1])
    assert result.table["rejected"].tolist() == [False, True]
    assert not result.passed


def test_full_cells_take_g_squared_as_scipy_computes_it():
    data = _data("ab", [("a", "b")], 400, 3, strength=0.1)
    p_value, test = independence_p_value(data.to_numpy())
    table = pd.crosstab(data["a"], data["b"])
    assert test == "G²"
    assert p_value == pytest.approx(chi2_contingency(table, correction=False, lambda_="log-likelihood")[1])


def test_g_squared_given_a_third_adds_up_over_its_levels():
    data = _data(*CHAIN, 800, 4)
    p_value, test = independence_p_value(data[["c", "a", "b"]].to_numpy())
    parts = [
        chi2_contingency(pd.crosstab(part["c"], part["a"]), correction=False, lambda_="log-likelihood")
        for _, part in data.groupby("b")
    ]
    assert test == "G²"
    assert p_value == pytest.approx(chi2.sf(sum(p.statistic for p in parts), sum(p.dof for p in parts)))


def test_sparse_cells_take_a_permutation():
    random = np.random.default_rng(0)
    data = random.integers(0, 6, size=(100, 3))  # 216 cells for 100 rows
    p_value, test = independence_p_value(data)
    assert test == "permutation"
    assert 1 / 500 <= p_value <= 1
    assert independence_p_value(data) == (p_value, test)


def test_the_permutation_test_finds_dependence_and_keeps_its_level():
    random = np.random.default_rng(1)
    first = random.integers(0, 8, size=120)
    dependent = np.column_stack([first, (first + random.integers(0, 2, size=120)) % 8])
    assert independence_p_value(dependent) == (1 / 500, "permutation")
    below = 0
    for seed in range(100):
        strata = random.integers(0, 4, size=100)
        data = np.column_stack(
            [(random.integers(0, 4, 100) + strata) % 6, (random.integers(0, 4, 100) + strata) % 6, strata]
        )
        p_value, test = independence_p_value(data, seed=seed)  # dependent, but not within the strata
        assert test == "permutation"
        below += p_value <= 0.05
    assert below <= 13  # binomial(100, .05): 14 or more has a probability below .1 %


def test_a_constant_column_is_independent_of_everything():
    data = np.column_stack([np.zeros(100, int), np.arange(100) % 2])
    assert independence_p_value(data)[0] == 1
