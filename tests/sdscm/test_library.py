"""The bundled scenarios show the structures they claim, in sentences that read well; a file that is none is refused."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator
from itertools import chain, combinations, islice, product
from math import prod

import networkx as nx
import numpy as np
import pytest

from sdscm import Scenario, ScenarioError, list_scenarios, load_scenario
from sdscm.layout import place_nodes
from sdscm.pictures import draw_dag

SPARSE = [name for name in list_scenarios() if name != "breast_cancer"]
# Contexts a variable in order τ (the product of its parents' numbers of levels; laws not asked of the model have none),
# and cells of the joint table, by hand.
SIZES = {
    "ad_purchase": ([1, 1, 3 * 3, 2, 3 * 3 * 4 * 3], 3 * 3 * 4 * 2 * 3 * 2),
    "back_pain": ([1, 3, 3 * 3, 3 * 2, 3 * 3 * 2 * 2], 3 * 3 * 2 * 2 * 2),
    "college_wage": ([1, 1, 3, 2 * 3 * 3, 3 * 3 * 2], 2 * 3 * 3 * 3 * 2 * 3),
    "job_training": ([1, 2, 2, 2 * 2 * 3, 2, 2 * 2 * 3 * 2 * 2, 2 * 2], 2 * 2 * 3 * 2 * 2 * 2 * 2),
    "loan_audit": ([1, 3, 3 * 2, 3 * 3, 3, 2 * 3 * 3 * 3], 3 * 2 * 3 * 3 * 3 * 3 * 2),
    "toy_collider": ([1, 1, 2 * 2], 2 * 2 * 2),
    "toy_confounder": ([1, 3, 3 * 2], 3 * 2 * 2),
    "tutoring": ([1, 3, 3 * 2, 2, 2 * 2], 3 * 3 * 2 * 2 * 2 * 2),
}


def _contexts(one: Scenario, name: str) -> Iterator[str]:
    """The context of a variable under every combination of its parents' levels."""
    parents = one[name].parents
    for levels in product(*(one[parent].levels for parent in parents)):
        yield one.context(name, dict(zip(parents, levels, strict=True)))


def _asked(one: Scenario) -> list[str]:
    return [v.name for v in one.variables if v.law == "language model"]


def _without_effects_of(graph: nx.DiGraph, name: str) -> nx.DiGraph:
    """The graph in which only back-door paths from a variable are left."""
    cut = graph.copy()
    cut.remove_edges_from(list(graph.out_edges(name)))
    return cut


def _back_door_sets(one: Scenario) -> list[set[str]]:
    """Every set of observed non-descendants of the treatment that satisfies the back-door criterion."""
    graph, treatment, outcome = one.to_networkx(), one.only("treatment").name, one.only("outcome").name
    usable = [n for n in one.observed if n not in {treatment, outcome} | nx.descendants(graph, treatment)]
    subsets = chain.from_iterable(combinations(usable, k) for k in range(len(usable) + 1))
    cut = _without_effects_of(graph, treatment)
    return [set(s) for s in subsets if nx.is_d_separator(cut, {treatment}, {outcome}, set(s))]


def _between(graph: nx.DiGraph, cause: str, effect: str) -> set[str]:
    """Variables on directed paths from cause to effect."""
    return nx.descendants(graph, cause) & nx.ancestors(graph, effect)


# Every scenario


def test_there_are_at_least_nine_and_each_sparse_one_is_worked_out_by_hand():
    assert len(list_scenarios()) >= 9
    assert set(SIZES) == set(SPARSE)


@pytest.mark.parametrize("name", list_scenarios())
def test_a_scenario_is_a_dag_in_its_order_with_one_treatment_and_one_outcome(name):
    one = load_scenario(name)
    graph = one.to_networkx()
    assert one.name == name
    assert nx.is_directed_acyclic_graph(graph)
    place = {variable: i for i, variable in enumerate(one.names)}
    assert all(place[a] < place[b] for a, b in graph.edges)
    assert [v.role for v in one.variables].count("treatment") == [v.role for v in one.variables].count("outcome") == 1
    assert nx.has_path(graph, one.only("treatment").name, one.only("outcome").name)
    assert "omparing" in one.description or "omparison" in one.description


@pytest.mark.parametrize("name", list_scenarios())
def test_roles_are_those_of_the_graph(name):
    one = load_scenario(name)
    graph, treatment, outcome = one.to_networkx(), one.only("treatment").name, one.only("outcome").name
    for v in one.variables:
        if v.role == "mediator":
            assert v.name in _between(graph, treatment, outcome)
        if v.role in ("instrument", "exogenous"):
            assert not v.parents
            assert v.law == "uniform"
        if v.role == "hidden":
            assert v.name not in nx.descendants(graph, treatment)
    assert not [n for n in _between(graph, treatment, outcome) if one[n].role != "mediator"]


@pytest.mark.parametrize("name", SPARSE)
def test_contexts_are_as_many_as_worked_out_by_hand_and_all_different(name):
    one = load_scenario(name)
    by_hand, cells = SIZES[name]
    found = [list(_contexts(one, variable)) for variable in _asked(one)]
    assert [len(contexts) for contexts in found] == by_hand
    assert len(set(chain.from_iterable(found))) == sum(by_hand) < 300
    assert prod(len(v.levels) for v in one.variables) == cells < 200_000


def test_the_paper_s_scenario_is_its_complete_dag():
    """Facts of Bynum & Cho: 14 variables, the levels of each, every variable a child of all before it."""
    one = load_scenario("breast_cancer")
    assert [len(v.levels) for v in one.variables] == [7, 4, 4, 2, 4, 3, 4, 4, 3, 2, 2, 2, 2, 4]
    assert all(list(v.parents) == one.names[:i] for i, v in enumerate(one.variables))
    assert one.observed == one.names[4:]
    assert (one.only("treatment").levels, len(one.edges())) == (("low", "high"), 14 * 13 // 2)


@pytest.mark.parametrize("phrasing", range(6))
@pytest.mark.parametrize("name", list_scenarios())
def test_contexts_read_as_one_line(name, phrasing):
    one = load_scenario(name, phrasing)
    for variable in _asked(one):
        for context in islice(_contexts(one, variable), 0, 400, 7):
            assert context == " ".join(context.split())
            assert context.isascii()
            assert context[0].isupper()
            assert ".." not in context
            assert context.startswith(one.intro)
            assert context.endswith(one.stem(variable))


@pytest.mark.parametrize("name", list_scenarios())
def test_phrasings_are_at_least_four_and_open_for_a_level(name):
    for v in load_scenario(name).variables:
        assert len(v.phrasings) >= 4
        for stem in v.phrasings:
            assert stem[0].isupper()
            assert stem[-1].isalnum()
            assert not any(stem.endswith(level) for level in v.levels)


@pytest.mark.parametrize("name", list_scenarios())
def test_levels_and_alternatives_are_short_and_all_different(name):
    one = load_scenario(name)
    for v in one.variables:
        for texts in (v.levels, *v.alternatives):
            assert len({text.casefold() for text in texts}) == len(texts) == len(v.levels)
            assert all(text == " ".join(text.split()) and len(text) <= 40 and text[-1] != "." for text in texts)
    for role in ("treatment", "outcome"):
        variable = one.only(role)
        assert variable.alternatives
        for texts in variable.alternatives:
            assert one.with_levels(variable.name, texts)[variable.name].levels == texts
    assert [v for v in one.variables if v.alternatives and v.role not in ("treatment", "outcome")]


@pytest.mark.parametrize("name", list_scenarios())
def test_every_scenario_takes_hidden_confounding_and_has_a_picture(name):
    turned = load_scenario(name).turned(hidden_confounding=1)
    assert turned.turned() == load_scenario(name)
    graph = turned.to_networkx()
    assert set(graph.successors("hidden_cause")) == {turned.only("treatment").name, turned.only("outcome").name}
    if name in SPARSE:
        assert draw_dag(turned).startswith(b"\x89PNG")


def _many(count: int, share: float) -> Scenario:
    """Variables in a row, each pair joined with the same probability."""
    joined = np.random.default_rng(5).random((count, count)) < share
    variables = [
        {
            "name": f"v{i}",
            "role": {0: "treatment", count - 1: "outcome"}.get(i, "covariate"),
            "levels": ("no", "yes"),
            "parents": [f"v{j}" for j in range(i) if joined[i, j]],
            "phrasings": ("Is it so?",),
        }
        for i in range(count)
    ]
    return Scenario.model_validate({"name": "many", "title": "t", "description": "d", "variables": variables})


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 1])
def test_a_graph_of_thirty_variables_is_drawn_with_bounded_work(share):
    """130,000 to 550,000 calls (one to two seconds), counted since a clock depends on what else goes on."""
    draw_dag(load_scenario("toy_collider"))  # loads the library that draws
    many = _many(30, share)
    with cProfile.Profile() as counted:
        assert draw_dag(many).startswith(b"\x89PNG")
    assert pstats.Stats(counted).total_calls < 1_000_000  # type: ignore[attr-defined]


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_in_a_large_graph_causes_stand_above_effects_and_nodes_apart(share):
    graph = _many(25, share).to_networkx()
    sizes = {name: np.array([0.8, 0.46]) for name in graph}
    places = place_nodes(graph, sizes)
    assert all(places[cause][1] > places[effect][1] for cause, effect in graph.edges)
    for a, b in combinations(graph, 2):
        assert (np.abs(places[a] - places[b]) > sizes[a]).any()


def test_large_rows_are_sorted_by_their_neighbours():
    """A comb whose teeth are listed backwards has a drawing without crossings: teeth in the order of their causes."""
    graph = nx.DiGraph([(f"c{i}", f"e{i}") for i in range(12)])
    backwards = nx.DiGraph()
    backwards.add_nodes_from([*(f"c{i}" for i in range(12)), *(f"e{i}" for i in reversed(range(12)))])
    backwards.add_edges_from(graph.edges)
    places = place_nodes(backwards, {name: np.array([0.8, 0.46]) for name in graph})
    order = [sorted((f"{row}{i}" for i in range(12)), key=lambda name: places[name][0]) for row in "ce"]
    assert [name[1:] for name in order[0]] == [name[1:] for name in order[1]]


# What each is there to show


def test_college_wage_has_an_instrument_and_no_back_door_set():
    one = load_scenario("college_wage")
    graph = one.to_networkx()
    assert one.only("instrument").name == "nearby"
    assert graph.has_edge("nearby", "college")
    without = graph.copy()
    without.remove_node("college")
    assert not nx.has_path(without, "nearby", "wage")  # only through the treatment
    assert nx.is_d_separator(_without_effects_of(graph, "college"), {"nearby"}, {"wage"}, set())
    assert nx.has_path(without, "ability", "wage")
    assert graph.has_edge("ability", "college")
    assert one["ability"].role == "hidden"
    assert _back_door_sets(one) == []


def test_ad_purchase_has_a_front_door_and_no_back_door_set():
    """Pearl's three conditions on the mediator, and the hidden confounder that makes it needed."""
    one = load_scenario("ad_purchase")
    graph = one.to_networkx()
    assert all("visits" in path for path in nx.all_simple_paths(graph, "ad", "purchase"))
    assert nx.is_d_separator(_without_effects_of(graph, "ad"), {"ad"}, {"visits"}, set())
    assert nx.is_d_separator(_without_effects_of(graph, "visits"), {"visits"}, {"purchase"}, {"ad"})
    assert one["interest"].role == "hidden"
    assert {("interest", "ad"), ("interest", "purchase")} <= set(graph.edges)
    assert _back_door_sets(one) == []


def test_loan_audit_has_a_direct_path_and_mediated_ones_and_the_family_suffices():
    one = load_scenario("loan_audit")
    graph = one.to_networkx()
    assert graph.has_edge("birthplace", "loan")
    assert _between(graph, "birthplace", "loan") == {"schooling", "income", "repayment"}
    assert _back_door_sets(one) == [{"family"}, {"family", "amount"}]
    direct = graph.copy()  # what is left once income and repayment are held: the direct edge alone
    direct.remove_edge("birthplace", "loan")
    assert nx.is_d_separator(direct, {"birthplace"}, {"loan"}, {"income", "repayment"})


def test_back_pain_is_mediation_whose_natural_effects_are_identified():
    one = load_scenario("back_pain")
    graph = one.to_networkx()
    assert _between(graph, "treatment", "recovery") == {"activity"}
    assert {"treatment", "activity"} <= set(graph.predecessors("recovery"))  # so they may interact
    assert _back_door_sets(one) == [{"work", "pain"}]
    cut = _without_effects_of(graph, "activity")
    assert nx.is_d_separator(cut, {"activity"}, {"recovery"}, {"work", "pain", "treatment"})
    assert not {"work", "pain"} & nx.descendants(graph, "treatment")


def test_job_training_opens_a_path_where_the_survey_is_adjusted_for():
    one = load_scenario("job_training")
    graph = one.to_networkx()
    before = {"schooling", "last_job", "unemployed"}
    assert set(graph.predecessors("survey")) == {"training", "job"}
    cut = _without_effects_of(graph, "training")
    cut.add_edge("training", "survey")
    assert nx.is_d_separator(cut, {"training"}, {"job"}, before)
    assert not nx.is_d_separator(cut, {"training"}, {"job"}, before | {"survey"})
    assert not nx.is_d_separator(cut, {"training"}, {"job"}, set())
    assert {"last_job", "schooling", "unemployed"} in _back_door_sets(one)
    assert "applications" in _between(graph, "training", "job")
    assert graph.has_edge("training", "job")


def test_the_toys_and_tutoring_are_what_they_say():
    collider = load_scenario("toy_collider").to_networkx()
    assert nx.is_d_separator(collider, {"talent"}, {"luck"}, set())
    assert not nx.is_d_separator(collider, {"talent"}, {"luck"}, {"fame"})
    assert _back_door_sets(load_scenario("toy_confounder")) == [{"motivation"}]
    tutoring = load_scenario("tutoring").to_networkx()
    assert list(nx.isolates(tutoring)) == ["school_size"]
    assert nx.is_d_separator(tutoring, {"tutoring"}, {"passed"}, {"homework", "motivation"})


@pytest.mark.slow
@pytest.mark.parametrize("name", SPARSE)
def test_the_bundled_model_gives_laws_with_positivity(name):
    """Phrasing 0: every treatment level has 1 % in every context, and no level takes more than .995 in all of them."""
    from lm import load_language_model

    one, model = load_scenario(name), load_language_model(device="cpu", dtype="float32")
    for variable in _asked(one):
        contexts = list(_contexts(one, variable))
        scores = np.array(model.score(contexts, [list(one[variable].levels)] * len(contexts)))
        law = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
        assert law.min(axis=0).max() <= 0.995
        if one[variable].role == "treatment":
            assert law.min() >= 0.01


# Files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- a\n- b\n", "must hold a mapping with name, title, description and variables; it holds a list"),
        (b"", "it holds nothing"),
        (b"just words", "it holds a str"),
        (b"a: [", "no YAML"),
        (b"\x00", "no YAML"),
        (b"a: 2024-13-45", "no YAML: month must be"),
        (b"---\na: 1\n---\nb: 1\n", "no YAML"),
        (b"a: !!python/object/apply:os.getcwd []", "no YAML"),
        (b"[" * 5000, "nested too deeply"),
        ("title: Caf\xe9".encode("latin-1"), r"not UTF-8 \(byte 10\); save it as UTF-8"),
        (b"title: x\nname: a\ntitle: y\n", "the key 'title' is given twice(.|\n)*line 3"),
        (b"variables:\n- name: a\n  name: b\n", "the key 'name' is given twice(.|\n)*line 3"),
        (b"# " + b"x" * 2_000_000, "more than 2 MB"),
        (b"name: x\n1: y\n", "title: Field required"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path, content, said):
    path = tmp_path / "odd.yml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError, match=said) as refused:
        load_scenario(path)
    assert str(refused.value).startswith("odd.yml")


def test_a_name_or_file_that_is_not_there_is_refused_with_what_would_do(tmp_path):
    with pytest.raises(
        ScenarioError, match=r"no scenario 'toy_confuser'; there are: .*toy_confounder.* or give a \.yaml"
    ):
        load_scenario("toy_confuser")
    with pytest.raises(ScenarioError, match="no scenario ''"):
        load_scenario("")
    with pytest.raises(ScenarioError, match="no scenario file"):
        load_scenario(tmp_path / "none.yaml")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ScenarioError, match=r"folder\.yaml.*[Dd]irectory.*give a \.yaml file"):
        load_scenario(tmp_path / "folder.yaml")
    with pytest.raises(ScenarioError, match="null"):
        load_scenario("odd\0.yaml")


def test_merged_keys_are_no_repetition(tmp_path):
    """YAML's merge key lets variables share fields; a key of one's own then stands for the merged one."""
    path = tmp_path / "made.YAML"
    path.write_text(
        """
name: made
title: Made
description: For a test.
variables:
  - &first {name: a, role: covariate, levels: [low, high], phrasings: [It is]}
  - {<<: *first, name: b, parents: [a]}
""",
        encoding="utf-8",
    )
    one = load_scenario(path)
    assert one.names == ["a", "b"]
    assert one["b"].levels == ("low", "high")


def test_the_phrasing_asked_for_goes_before_the_file_s(tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(
        """
{name: made, title: Made, description: For a test., phrasing: 3, variables: [
  {name: a, role: covariate, levels: [low, high], phrasings: [It is]},
  {name: b, role: covariate, levels: [low, high], phrasings: [It is]}]}
""",
        encoding="utf-8",
    )
    assert [
        load_scenario(path).phrasing,
        load_scenario(path, 0).phrasing,
        load_scenario(path, phrasing=5).phrasing,
    ] == [3, 0, 5]
