"""Scenarios: each way of being unsound is named; order, other sample spaces, silent causes and knobs do what they say."""

from __future__ import annotations

from datetime import date
from itertools import pairwise, permutations, product

import networkx as nx
import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from sdscm import Scenario, ScenarioError, load_scenario
from sdscm.pictures import draw_dag
from sdscm.scenario import Knobs, Variable

from .laws import confounder, scenario, variable

SILENT = {"role": "hidden", "silent": True, "law": "uniform", "phrasings": []}
KNOBS = st.fixed_dictionaries(
    {},
    optional={
        "overlap": st.floats(0, 1),
        "effect": st.floats(-5, 5),
        "heterogeneity": st.floats(0, 5),
        "hidden_confounding": st.floats(-3, 3),
    },
)


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
        (lambda s: s["variables"][0].update(parents=["c"]), "the parents form a cycle: "),
        (lambda s: s["variables"][0].update(parents=["a"]), "form a cycle: a → a; remove"),
        (lambda s: s["variables"].reverse(), "'c' stands before its parent 'a': the order is not topological"),
        (lambda s: s.update(order=["a", "c", "b"]), "'c' stands before its parent 'b': the order is not topological"),
        (lambda s: s.update(order=["a", "b"]), "given a, b; the variables are a, b, c"),
        (lambda s: s.update(order=["a", "b", "b"]), "order must list each variable once"),
        (lambda s: s.update(order=["a", "b", "c", "d"]), "order must list each variable once"),
        (lambda s: s.update(order=[]), "given none"),
        (lambda s: s["variables"][1].update(parents=["x"]), "unknown parent 'x'"),
        (lambda s: s["variables"][1].update(parents=["a", "a"]), "'b' lists a parent twice"),
        (lambda s: s["variables"][1].update(levels=["no", "no"]), "'b' lists a level twice: 'no'"),
        (lambda s: s["variables"][1].update(levels=["no", " no "]), "'b' lists a level twice"),
        (lambda s: s["variables"][1].update(levels=["no", "  "]), "variables.1.levels.1"),
        (lambda s: s["variables"][1].update(levels=["no"]), "variables.1.levels"),
        (lambda s: s["variables"][1].update(levels=["no", True]), "variables.1.levels.1"),
        (lambda s: s["variables"][1].update(levels=["no", True]), "given True, which YAML does not read as a text"),
        (lambda s: s["variables"][1].update(levels="no"), "variables.1.levels"),
        (lambda s: s["variables"][1].update(phrasings=[]), "'b' has no phrasings"),
        (lambda s: s["variables"][1].update(phrasings=["It is", "It is "]), "'b' lists a phrasing twice"),
        (lambda s: s["variables"][1].update(name="a", parents=[]), "names must differ"),
        (lambda s: s["variables"][1].update(name="B b"), "variables.1.name"),
        (lambda s: s["variables"][1].update(name=" "), "variables.1.name"),
        (lambda s: s["variables"][1].update(role="boss"), "variables.1.role"),
        (lambda s: s["variables"][0].update(law=[0.5, 0.6]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[0.2, 0.3, 0.5]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[-0.5, 1.5]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law=[float("nan"), 1.0]), "fixed law of 'a'"),
        (lambda s: s["variables"][0].update(law="normal"), "variables.0.law"),
        (lambda s: s["variables"][1].update(law=[0.5, 0.5]), "fixed law, so it cannot have parents"),
        (lambda s: s["variables"][1].update(law="uniform"), "uniform law, so it cannot have parents; drop them (a)"),
        (lambda s: s["variables"][1].update(scores=[1]), "2 levels but 1 scores"),
        (lambda s: s["variables"][1].update(scores=[1, float("inf")]), "variables.1.scores.1"),
        (lambda s: s["variables"][1].update(alternatives=[["false"]]), "a text for each of its 2 levels"),
        (
            lambda s: s["variables"][1].update(alternatives=[["x", "x"]]),
            "alternative of variable 'b' lists a level twice",
        ),
        (lambda s: s["variables"][1].update(alternatives=[["no", "yes"]]), "same sample space twice"),
        (lambda s: s["variables"][1].update(alternatives=[["p", "q"], ["p", "q"]]), "same sample space twice"),
        (lambda s: s["variables"][1].update(alternatives=[["p", " "]]), "variables.1.alternatives.0.1"),
        (lambda s: s["variables"][1].update(alternatives=["false", "true"]), "variables.1.alternatives.0"),
        (
            lambda s: s["variables"][0].update(SILENT, law="language model"),
            "'a' is silent, so it needs a uniform or fixed",
        ),
        (lambda s: s["variables"][0].update(SILENT, role="covariate"), "the role 'hidden'"),
        (lambda s: s["variables"][0].update(silent=True), "'a' is silent"),
        (lambda s: s["variables"][1].update(tilts={"a": 1.0}), "'b' is tilted by 'a', which is not silent"),
        (lambda s: s["variables"][1].update(tilts={"c": 1.0}), "'b' is tilted by 'c', which is none of its parents"),
        (lambda s: s["variables"][1].update(tilts={"a": float("nan")}), "variables.1.tilts.a"),
        (lambda s: s["variables"][1].update(colour="red"), "variables.1.colour: Extra inputs are not permitted"),
        (lambda s: s["variables"][1].update(colour="red"), "known: name, role, levels"),
        (lambda s: s.update(colour="red"), "colour: Extra inputs"),
        (lambda s: s.update(knobs={"overlap": 2}), "knobs.overlap"),
        (lambda s: s.update(knobs={"volume": 2}), "known: overlap, effect, heterogeneity, hidden_confounding"),
        (lambda s: s.update(knobs={"overlap": 0.5}), "0 variables of role 'treatment'"),
        (lambda s: s.pop("variables"), "variables: Field required"),
        (lambda s: s.update(variables=s["variables"][:1]), "at least 2"),
        (lambda s: s.update(variables={"a": 1}), "variables: "),
        (lambda s: s.update(title=" "), "title"),
        (lambda s: s.update(title=3), "title"),
        (lambda s: s.update(phrasing="two"), "phrasing"),
    ],
)
def test_an_unsound_scenario_is_refused_with_its_fault(tmp_path, change, said):
    message = _refusal(tmp_path, change)
    assert said in message
    assert message.startswith("made.yaml: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda s: s["variables"][1].update(levels=["no", True]),
            "variables.1.levels.1: Input should be a valid string",
        ),
        (lambda s: s["variables"][1].update(levels=[date(2020, 1, 1), "no"]), "given 2020-01-01, which YAML does not"),
        (lambda s: s["variables"][1].update(levels=["no", None]), "given nothing, which YAML does not read as a text"),
        (lambda s: s["variables"][1].update(levels="no"), "variables.1.levels: Input should be a list; given 'no'"),
        (lambda s: s["variables"][0].update(law=[0.5, 0.6]), "variables.0: the fixed law of 'a'"),
    ],
)
def test_a_fault_is_told_without_what_follows_from_it(tmp_path, change, said):
    message = _refusal(tmp_path, change)
    assert said in message
    assert "at least" not in message  # there are levels and variables enough: one is unsound
    assert "tuple" not in message  # a word of Python, not of YAML
    assert ": " in message and ";" not in message.replace("; given", "")


def test_of_very_many_faults_the_first_are_told(tmp_path):
    message = _refusal(tmp_path, lambda s: s["variables"][1].update(levels=list(range(5000))))
    assert "variables.1.levels.9: " in message
    assert message.endswith("; and 4,990 more")
    assert len(message) < 2000


def test_a_cycle_is_shown_edge_by_edge():
    parts = [variable("a", ("d",)), variable("b", ("a",)), variable("c", ("a",)), variable("d", ("b",))]
    with pytest.raises(ValueError, match="form a cycle") as refused:
        scenario(*parts)
    shown = str(refused.value).split("cycle: ")[1].split(";")[0].split(" → ")
    edges = {("d", "a"), ("a", "b"), ("b", "d")}  # c is in no cycle
    assert shown[0] == shown[-1]
    assert set(pairwise(shown)) == edges


@pytest.mark.parametrize("order", permutations("zty"), ids="".join)
def test_an_order_is_kept_or_refused_with_the_pair_that_stands_wrong(order):
    """z → t → y ← z has one topological order: z, t, y. The variables are listed in another."""
    parts = [variable("y", ("z", "t")), variable("z"), variable("t", ("z",))]
    if order == ("z", "t", "y"):
        one = scenario(*parts, order=order)
        assert one.names == list(one.order) == ["z", "t", "y"]
    else:
        with pytest.raises(ValueError, match="stands before its parent") as refused:
            scenario(*parts, order=order)
        child, parent = (str(refused.value).split("'")[i] for i in (1, 3))
        assert (parent, child) in {("z", "t"), ("z", "y"), ("t", "y")}
        assert order.index(child) < order.index(parent)


@given(st.data())
def test_every_topological_order_of_a_random_graph_is_taken_however_the_variables_are_listed(data):
    names = [f"v{i}" for i in range(data.draw(st.integers(2, 5)))]
    pairs = [(a, b) for i, b in enumerate(names) for a in names[:i]]
    edges = [pair for pair in pairs if data.draw(st.booleans())]
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(names)
    order = data.draw(st.permutations(names))
    listed = data.draw(st.permutations(names))
    parts = [variable(name, tuple(a for a, b in edges if b == name)) for name in listed]
    if list(order) in map(list, nx.all_topological_sorts(graph)):
        one = scenario(*parts, order=order)
        assert one.names == list(order)
        assert set(one.edges()) == set(edges)
        assert one == scenario(*(part for name in order for part in parts if part["name"] == name))
    else:
        with pytest.raises(ValueError, match="not topological"):
            scenario(*parts, order=order)


def test_levels_that_differ_in_case_are_different():
    assert scenario(variable("a", levels=("May", "may")), variable("b"))["a"].levels == ("May", "may")


def test_a_context_is_the_parents_sentences_in_order_and_the_stem():
    one = scenario(variable("a"), variable("b"), variable("c", ("b", "a")), intro="A note.")
    assert one.context("a", {}) == "A note. A:"
    assert one.context("c", {"a": "yes", "b": "no"}) == "A note. A: yes. B: no. C:"


def test_only_parents_stand_in_a_context():
    one = scenario(variable("a"), variable("b", ("a",)), variable("c", ("b",)))
    assert one.context("c", {"b": "no"}) == "B: no. C:"


def test_a_silent_parent_stands_in_no_context():
    one = scenario(variable("u", **SILENT), variable("a"), variable("b", ("u", "a"), tilts={"u": 0.5}))
    assert one.context("b", {"a": "no"}) == one.context("b", {"a": "no", "u": "yes"}) == "A: no. B:"
    assert one.stem("u") == ""
    assert one.observed == ["a", "b"]


def test_a_silent_cause_may_have_a_fixed_law_and_phrasings():
    one = scenario(
        variable("u", role="hidden", silent=True, law=[0.1, 0.9]), variable("b", ("u",), tilts={"u": -2}), variable("c")
    )
    assert one.stem("u") == "U:"
    assert one["b"].tilts == {"u": -2.0}


def test_a_phrasing_draw_fixes_one_phrasing_a_variable_and_draws_differ():
    one = load_scenario("breast_cancer", phrasing=3)
    assert one == load_scenario("breast_cancer", phrasing=3)
    draws = [one.model_copy(update={"phrasing": number}) for number in range(24)]
    stems = {draw.phrasing: [draw.stem(n) for n in one.names] for draw in draws}
    for drawn in stems.values():
        assert all(stem in one[name].phrasings for name, stem in zip(one.names, drawn, strict=True))
    assert len({tuple(drawn) for drawn in stems.values()}) == 24
    assert {drawn[0] for drawn in stems.values()} == set(one["age"].phrasings)


def test_phrasings_are_counted_as_combinations():
    parts = [variable("a"), variable("b"), variable("u", **SILENT)]
    parts[0]["phrasings"], parts[1]["phrasings"] = ["p", "q", "r"], ["s", "t"]
    combinations = set(product(parts[0]["phrasings"], parts[1]["phrasings"]))
    assert scenario(*parts).phrasings_count == len(combinations) == 6


def test_the_digest_tells_scenarios_phrasings_and_knobs_apart():
    assert load_scenario("tutoring").digest == load_scenario("tutoring").digest
    one = load_scenario("toy_confounder")
    others = [
        load_scenario("toy_confounder", 1),
        load_scenario("toy_collider"),
        one.with_levels("gym", ["false", "true"]),
        one.turned(overlap=0.1),
        one.turned(hidden_confounding=0.1),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 6


def test_descendants_and_the_graph_are_those_of_networkx():
    one = load_scenario("tutoring")
    graph = one.to_networkx()
    assert set(graph.edges) == set(one.edges())
    for name in graph:
        assert one.descendants({name}) == nx.descendants(graph, name)
    assert list(graph) == one.names
    assert graph.nodes["income"] == {"role": "covariate", "levels": ("low", "middle", "high")}


def test_asking_for_a_variable_or_role_that_is_not_there_is_refused():
    one = confounder()
    with pytest.raises(ScenarioError, match="no variable 'x'"):
        one["x"]
    with pytest.raises(ScenarioError, match="0 variables of role 'mediator'"):
        one.only("mediator")


def test_a_scenario_can_be_a_key_and_survives_writing_down():
    one = confounder().turned(hidden_confounding=0.7, overlap=0.2)
    again = Scenario.model_validate(yaml.safe_load(yaml.safe_dump(one.model_dump(mode="json"))))
    assert again == one
    assert {one: "kept"}[again] == "kept"


# Scores


def test_levels_score_zero_one_two_unless_stated():
    one = scenario(variable("a", levels=("p", "q", "r")), variable("b", scores=[-1.5, 4]))
    assert one["a"].score_of().tolist() == [0, 1, 2]
    assert one["b"].score_of().tolist() == [-1.5, 4]


@pytest.mark.parametrize(
    ("scores", "centred"),
    [
        (None, [-1, 0, 1]),
        ([10, 20, 40], [-1, -1 / 3, 1]),
        ([5, 1, 3], [1, -1, 0]),
        ([2, 2, 2], [0, 0, 0]),
        ([-1.7e308, 0, 1.7e308], [-1, 0, 1]),
    ],
)
def test_centred_scores_run_from_minus_one_to_one(scores, centred):
    one = Variable(name="a", role="covariate", levels=("p", "q", "r"), phrasings=("It is",), scores=scores)
    assert one.centred_scores() == pytest.approx(centred)


@given(
    st.lists(st.integers(-50, 50), min_size=2, max_size=5), st.floats(0.01, 100), st.floats(-100, 100), st.booleans()
)
def test_centred_scores_do_not_depend_on_unit_and_origin(scores, unit, origin, turned):
    assume(len(set(scores)) > 1)
    sign = -1 if turned else 1
    made = [
        Variable.model_validate({**variable("a", levels=[f"l{i}" for i in range(len(scores))]), "scores": one})
        for one in (scores, [sign * unit * score + origin for score in scores])
    ]
    first, second = (one.centred_scores() for one in made)
    assert second == pytest.approx(sign * first, abs=1e-6)
    assert np.min(first) == -1
    assert np.max(first) == 1


# Other sample spaces


def test_another_sample_space_keeps_scores_law_and_graph():
    one = scenario(
        variable("a", law=[0.2, 0.8], scores=[3, 7], alternatives=[["false", "true"]]),
        variable("b", ("a",)),
        phrasing=4,
    )
    other = one.with_levels("a", ["false", "true"])
    assert other["a"].levels == ("false", "true")
    assert other["a"].alternatives == ()
    assert (other["a"].law, other["a"].scores, other.phrasing) == ((0.2, 0.8), (3, 7), 4)
    assert other["b"] == one["b"]
    assert other.context("b", {"a": "true"}) == "A: true. B:"


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (["x"], "give a list of 2 texts"),
        (["x", "y", "z"], "give a list of 2 texts"),
        ("xy", "give a list of 2 texts"),
        (["x", " x"], "lists a level twice"),
        (["x", ""], "levels.1"),
        (["x", 3], "levels.1"),
    ],
)
def test_a_sample_space_that_does_not_fit_is_refused(levels, said):
    with pytest.raises(ScenarioError, match=said):
        confounder().with_levels("t", levels)


def test_sample_spaces_of_a_variable_that_is_not_there_are_refused():
    with pytest.raises(ScenarioError, match="no variable 'x'"):
        confounder().with_levels("x", ["p", "q"])
    with pytest.raises(ScenarioError, match="no variable 'x'"):
        confounder().without_level("x", "no")


@pytest.mark.parametrize(
    ("level", "levels", "law", "scores", "alternative"),
    [
        ("p", ("q", "r"), [0.75, 0.25], [1, 2], ("y", "z")),
        ("q", ("p", "r"), [0.8, 0.2], [0, 2], ("x", "z")),
        ("r", ("p", "q"), [4 / 7, 3 / 7], [0, 1], ("x", "y")),
    ],
)
def test_a_level_left_out_takes_its_probability_score_and_alternative_with_it(level, levels, law, scores, alternative):
    one = scenario(
        variable("a", levels=("p", "q", "r"), law=[4 / 8, 3 / 8, 1 / 8], alternatives=[["x", "y", "z"]]),
        variable("b", ("a",)),
    )
    left = one.without_level("a", level)["a"]
    assert left.levels == levels
    assert left.law == pytest.approx(law)
    assert left.score_of().tolist() == scores
    assert left.alternatives == (alternative,)


def test_sample_spaces_that_differed_in_the_level_left_out_alone_become_one():
    spaces = [["p", "q", "s"], ["x", "q", "r"], ["x", "q", "t"]]
    one = scenario(variable("a", levels=("p", "q", "r"), alternatives=spaces), variable("b", ("a",)))
    left = one.without_level("a", "r")["a"]
    assert (left.levels, left.alternatives) == (("p", "q"), (("x", "q"),))
    assert one.without_level("a", "p")["a"].alternatives == (("q", "s"), ("q", "t"))


def test_a_level_that_cannot_be_left_out_is_refused():
    one = scenario(variable("a", levels=("p", "q", "r"), law=[0, 1, 0]), variable("b", ("a",)))
    with pytest.raises(ScenarioError, match="level 'q' of 'a' has all the probability"):
        one.without_level("a", "q")
    with pytest.raises(ScenarioError, match="'b' has two levels"):
        one.without_level("b", "no")
    with pytest.raises(ScenarioError, match="no level 's'; it has: p, q, r"):
        one.without_level("a", "s")
    assert one.without_level("a", "p")["a"].law == (1, 0)


# Knobs


def test_hidden_confounding_adds_a_silent_cause_of_treatment_and_outcome():
    one = confounder().turned(hidden_confounding=0.8)
    cause = one["hidden_cause"]
    assert one.names == list(one.order) == ["hidden_cause", "z", "t", "y"]
    assert (cause.silent, cause.law, cause.levels, cause.role) == (True, "uniform", ("absent", "present"), "hidden")
    assert set(one.edges()) == {*confounder().edges(), ("hidden_cause", "t"), ("hidden_cause", "y")}
    assert one["t"].tilts == one["y"].tilts == {"hidden_cause": 0.8}
    assert one["z"].tilts == {}
    assert one.observed == ["z", "t", "y"]
    assert one.context("y", {"z": "no", "t": "yes"}) == confounder().context("y", {"z": "no", "t": "yes"})


@given(KNOBS, KNOBS)
def test_turning_twice_replaces(first, second):
    one = confounder()
    assert one.turned(**first).turned(**second) == one.turned(**second)
    assert one.turned(**first).turned() == one
    assert one.turned(**first).knobs == Knobs(**first)


def test_knobs_in_a_file_are_those_of_turning(tmp_path):
    content = confounder().model_dump(mode="json", exclude={"order"})
    path = tmp_path / "made.yaml"
    path.write_text(yaml.safe_dump({**content, "knobs": {"hidden_confounding": 1.5}}))
    assert load_scenario(path) == confounder().turned(hidden_confounding=1.5)


def test_changes_of_sample_spaces_keep_the_knobs():
    one = confounder().turned(hidden_confounding=1, overlap=0.5)
    assert one.with_levels("t", ["false", "true"]).turned() == confounder().with_levels("t", ["false", "true"])


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"overlap": 1.1}, "knobs.overlap: .*less than or equal to 1; given 1.1"),
        ({"overlap": -0.1}, "knobs.overlap"),
        ({"effect": float("inf")}, "knobs.effect"),
        ({"heterogeneity": -1}, "knobs.heterogeneity"),
        ({"hidden_confounding": float("nan")}, "knobs.hidden_confounding"),
        ({"confounding": 1}, "knobs.confounding: .*known: overlap, effect"),
        ({"overlap": "much"}, "knobs.overlap"),
    ],
)
def test_a_knob_out_of_range_is_refused(knobs, said):
    with pytest.raises(ScenarioError, match=said):
        confounder().turned(**knobs)


@pytest.mark.parametrize("knob", [{"effect": 0.5}, {"heterogeneity": 2.0}])
def test_effect_and_heterogeneity_need_a_direct_effect(knob):
    with pytest.raises(ScenarioError, match="'tutoring' is not a parent of 'passed'"):
        load_scenario("tutoring").turned(**knob)
    assert load_scenario("tutoring").turned(overlap=0.3, hidden_confounding=1).knobs.overlap == 0.3


def test_hidden_confounding_is_refused_where_it_cannot_be():
    randomised = scenario(variable("t", role="treatment", law="uniform"), variable("y", ("t",), role="outcome"))
    with pytest.raises(ScenarioError, match="the law of 't' is 'uniform', and so without causes"):
        randomised.turned(hidden_confounding=1)
    taken = scenario(
        variable("hidden_cause"),
        variable("t", ("hidden_cause",), role="treatment"),
        variable("y", ("t",), role="outcome"),
    )
    with pytest.raises(ScenarioError, match="already is another of that name"):
        taken.turned(hidden_confounding=1)
    assert taken.turned(overlap=1).turned() == taken
    two = scenario(variable("s", role="treatment"), variable("t", role="treatment"), variable("y", role="outcome"))
    with pytest.raises(ScenarioError, match="2 variables of role 'treatment'"):
        two.turned(hidden_confounding=1)


# Pictures


def test_the_picture_is_a_png():
    assert draw_dag(load_scenario("tutoring")).startswith(b"\x89PNG")
    assert draw_dag(confounder().turned(hidden_confounding=1)).startswith(b"\x89PNG")
