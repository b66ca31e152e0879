"""The independences that a graph implies, against networkx's d-separation."""

from __future__ import annotations

from itertools import combinations
from math import comb

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdscm import list_scenarios, load_scenario
from validation import separations
from validation.separations import (
    Statement,
    TooManySeparations,
    all_separations,
    choose_statements,
    implied_independences,
)

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
def test_every_statement_of_the_basis_is_a_d_separation_and_there_is_one_a_missing_edge(dag):
    order, edges = dag
    statements = implied_independences(order, edges)
    graph = _graph(order, edges)
    for one in statements:
        assert nx.is_d_separator(graph, {one.first}, {one.second}, set(one.given)), str(one)
    assert len(statements) == comb(len(order), 2) - len(edges)
    assert not {(one.second, one.first) for one in statements} & set(edges)


@settings(deadline=None)
@given(dags(), st.integers(0, 4))
def test_all_separations_are_those_that_networkx_finds(dag, most_given):
    order, edges = dag
    graph = _graph(order, edges)
    expected = {
        (later, earlier, given)
        for place, later in enumerate(order)
        for earlier in order[:place]
        for size in range(min(most_given, len(order) - 2) + 1)
        for given in combinations([name for name in order if name not in (later, earlier)], size)
        if (earlier, later) not in edges and nx.is_d_separator(graph, {later}, {earlier}, set(given))
    }
    found = all_separations(order, edges, most_given)
    assert {(one.first, one.second, one.given) for one in found} == expected
    assert len(found) == len(expected)


@settings(deadline=None)
@given(dags())
def test_the_basis_is_among_all_separations(dag):
    among = {(one.first, one.second, frozenset(one.given)) for one in all_separations(*dag)}
    assert {(one.first, one.second, frozenset(one.given)) for one in implied_independences(*dag)} <= among


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
    four = all_separations("abcd", [("a", "b"), ("b", "c"), ("c", "d")])
    assert [str(one) for one in four] == [
        "c ⫫ a | b",
        "d ⫫ a | b",
        "d ⫫ a | c",
        "d ⫫ b | c",
        "d ⫫ a | b, c",
        "c ⫫ a | b, d",
        "d ⫫ b | a, c",
    ]


def test_a_collider_holds_its_causes_apart_only_when_left_alone():
    assert all_separations(*COLLIDER) == [Statement("b", "a", ())]


def test_eight_variables_without_an_edge_have_as_many_statements_as_the_docstring_says():
    assert len(all_separations("abcdefgh", [])) == comb(8, 2) * 2**6 == 1792
    assert len(all_separations("abcdefgh", [], most_given=1)) == comb(8, 2) * 7


def test_too_many_statements_are_an_error_that_names_the_ways_out():
    assert len(all_separations("abcde", [], limit=80)) == 80  # ten pairs, eight sets
    with pytest.raises(TooManySeparations, match="more than 79 independences; raise the limit"):
        all_separations("abcde", [], limit=79)


def test_a_large_dense_graph_is_given_up_on(monkeypatch):
    monkeypatch.setattr(separations, "MOST_SETS", 100)
    order = [f"v{i}" for i in range(12)]
    edges = [(a, b) for a, b in combinations(order, 2) if (a, b) != ("v0", "v11")]
    with pytest.raises(TooManySeparations, match="more than 100 conditioning sets of 12 variables"):
        all_separations(order, edges)


def test_a_check_tests_every_separation_where_they_are_few_and_else_the_basis():
    few, called = choose_statements(*DIAMOND)
    assert few == all_separations(*DIAMOND)
    assert called == "every independence that the graph implies (2)"
    order = "abcdefgh"
    basis, called = choose_statements(order, [])
    assert basis == implied_independences(order, [])
    assert "(28, one a missing edge; there are more than 500 in all" in called
    with pytest.raises(TooManySeparations):
        choose_statements(order, [], "every")
    assert choose_statements(*DIAMOND, "basis")[1].endswith("(2, one a missing edge)")


@pytest.mark.parametrize("list_of", [implied_independences, all_separations])
def test_edges_must_fit_the_order(list_of):
    with pytest.raises(ValueError, match="b → a is against the order a, b"):
        list_of(["a", "b"], [("b", "a")])
    with pytest.raises(ValueError, match="unknown end 'c'; known: a, b"):
        list_of(["a", "b"], [("a", "c")])


@pytest.mark.parametrize("list_of", [implied_independences, all_separations])
def test_a_variable_listed_twice_is_refused(list_of):
    with pytest.raises(ValueError, match="'a' is listed twice among a, b, a"):
        list_of(["a", "b", "a"], [])
