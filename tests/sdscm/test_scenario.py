"""Scenarios: the bundled ones are sound, and each way of being unsound is named."""

from __future__ import annotations

import networkx as nx
import pytest
import yaml

from sdscm import ScenarioError, list_scenarios, load_scenario
from sdscm.pictures import draw_dag

from .laws import confounder, scenario, variable


@pytest.mark.parametrize("name", list_scenarios())
def test_every_bundled_scenario_loads_and_is_a_dag_in_its_order(name):
    one = load_scenario(name)
    graph = nx.DiGraph(one.edges())
    graph.add_nodes_from(one.names)
    assert nx.is_directed_acyclic_graph(graph)
    place = {variable: i for i, variable in enumerate(one.names)}
    assert all(place[a] < place[b] for a, b in graph.edges)
    assert one.only("treatment").name in one.names
    assert one.only("outcome").name in one.names
    assert nx.has_path(graph, one.only("treatment").name, one.only("outcome").name)
    assert one.name == name


def test_the_paper_s_scenario_is_its_complete_dag():
    """Facts of Bynum & Cho: 14 variables, the levels of each, every variable a child of all before it."""
    one = load_scenario("breast_cancer")
    assert [len(v.levels) for v in one.variables] == [7, 4, 4, 2, 4, 3, 4, 4, 3, 2, 2, 2, 2, 4]
    assert all(list(v.parents) == one.names[:i] for i, v in enumerate(one.variables))


def _refusal(tmp_path, change) -> str:
    content = {
        "name": "made",
        "title": "Made",
        "description": "For a test.",
        "variables": [variable("a"), variable("b", ("a",)), variable("c", ("a", "b"))],
    }
    change(content)
    path = tmp_path / "made.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ScenarioError) as refused:
        load_scenario(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["variables"][0].update(parents=["c"]), "'a' stands before its parent 'c'"),
        (lambda s: s["variables"][0].update(parents=["a"]), "'a' stands before its parent 'a'"),
        (lambda s: s["variables"].reverse(), "order is not topological"),
        (lambda s: s["variables"][1].update(parents=["x"]), "unknown parent 'x'"),
        (lambda s: s["variables"][1].update(parents=["a", "a"]), "'b' lists a parent twice"),
        (lambda s: s["variables"][1].update(levels=["no", "no"]), "'b' lists a level twice"),
        (lambda s: s["variables"][1].update(levels=["no", " no "]), "'b' lists a level twice"),
        (lambda s: s["variables"][1].update(levels=["no", "  "]), "variables.1.levels.1"),
        (lambda s: s["variables"][1].update(levels=["no"]), "variables.1.levels"),
        (lambda s: s["variables"][1].update(levels=["no", True]), "variables.1.levels.1"),
        (lambda s: s["variables"][1].update(phrasings=[]), "variables.1.phrasings"),
        (lambda s: s["variables"][1].update(name="a", parents=[]), "names must differ"),
        (lambda s: s["variables"][1].update(name="B b"), "variables.1.name"),
        (lambda s: s["variables"][1].update(role="boss"), "variables.1.role"),
        (lambda s: s["variables"][0].update(law=[0.5, 0.6]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[0.2, 0.3, 0.5]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[-0.5, 1.5]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[float("nan"), 1.0]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law="normal"), "variables.0.law"),
        (lambda s: s["variables"][1].update(law=[0.5, 0.5]), "cannot have parents"),
        (lambda s: s["variables"][1].update(scores=[1]), "2 levels but 1 scores"),
        (lambda s: s["variables"][1].update(colour="red"), "variables.1.colour"),
        (lambda s: s.update(colour="red"), "colour: Extra inputs"),
        (lambda s: s.pop("variables"), "variables: Field required"),
        (lambda s: s.update(variables=s["variables"][:1]), "at least 2"),
        (lambda s: s.update(title=" "), "title"),
    ],
)
def test_an_unsound_scenario_is_refused_with_its_fault(tmp_path, change, said):
    message = _refusal(tmp_path, change)
    assert said in message
    assert message.startswith("made.yaml")


@pytest.mark.parametrize(
    ("content", "said"), [("- a\n- b\n", "mapping"), ("a: [", "no YAML"), ("", "mapping"), ("\x00", "no YAML")]
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path, content, said):
    path = tmp_path / "odd.yml"
    path.write_text(content)
    with pytest.raises(ScenarioError, match=said):
        load_scenario(path)


def test_a_name_or_file_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ScenarioError, match="toy_confounder"):
        load_scenario("toy_confuser")
    with pytest.raises(ScenarioError, match="no scenario file"):
        load_scenario(tmp_path / "none.yaml")


def test_a_context_is_the_parents_sentences_in_order_and_the_stem():
    one = scenario(variable("a"), variable("b"), variable("c", ("b", "a")), intro="A note.")
    assert one.context("a", {}) == "A note. A:"
    assert one.context("c", {"a": "yes", "b": "no"}) == "A note. A: yes. B: no. C:"


def test_only_parents_stand_in_a_context():
    one = scenario(variable("a"), variable("b", ("a",)), variable("c", ("b",)))
    assert one.context("c", {"b": "no"}) == "B: no. C:"


def test_a_phrasing_draw_fixes_one_phrasing_a_variable_and_draws_differ():
    one = load_scenario("breast_cancer", phrasing=3)
    assert one == load_scenario("breast_cancer", phrasing=3)
    draws = [one.model_copy(update={"phrasing": number}) for number in range(12)]
    stems = {draw.phrasing: [draw.stem(n) for n in one.names] for draw in draws}
    for drawn in stems.values():
        assert all(stem in one[name].phrasings for name, stem in zip(one.names, drawn, strict=True))
    assert len({tuple(drawn) for drawn in stems.values()}) == 12
    assert {drawn[0] for drawn in stems.values()} == set(one["age"].phrasings)


def test_the_digest_tells_scenarios_and_phrasings_apart():
    assert load_scenario("tutoring").digest == load_scenario("tutoring").digest
    assert load_scenario("tutoring", 0).digest != load_scenario("tutoring", 1).digest
    assert load_scenario("tutoring").digest != load_scenario("toy_collider").digest


def test_descendants_are_those_of_the_graph():
    one = load_scenario("tutoring")
    graph = nx.DiGraph(one.edges())
    for name in graph:
        assert one.descendants({name}) == nx.descendants(graph, name)


def test_asking_for_a_variable_or_role_that_is_not_there_is_refused():
    one = confounder()
    with pytest.raises(ScenarioError, match="no variable 'x'"):
        one["x"]
    with pytest.raises(ScenarioError, match="0 variables of role 'mediator'"):
        one.only("mediator")


def test_levels_score_zero_one_two_unless_stated():
    one = scenario(variable("a", levels=("p", "q", "r")), variable("b", scores=[-1.5, 4]))
    assert one["a"].score_of().tolist() == [0, 1, 2]
    assert one["b"].score_of().tolist() == [-1.5, 4]


def test_the_picture_is_a_png():
    assert draw_dag(load_scenario("tutoring")).startswith(b"\x89PNG")
