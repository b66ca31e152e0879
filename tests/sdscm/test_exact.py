"""Exact laws and effects of one world: by hand, by enumeration of the joint table, by textbook formulas."""

from __future__ import annotations

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdscm import ScenarioError, SequenceSCM, TooLarge, load_scenario
from sdscm.exact import ExactLaws

from .laws import HashScorer, confounder, scenario, variable
from .units import CONFOUNDED, Known, entangled, random_laws

LIMIT = 1_000_000


@pytest.fixture
def toy() -> ExactLaws:
    return ExactLaws(confounder(), CONFOUNDED, LIMIT)


def _enumerated(one, known, do=None) -> np.ndarray:
    """The joint law, one world at a time."""
    law = np.zeros([len(v.levels) for v in one.variables])
    for codes in np.ndindex(*law.shape):
        at = dict(zip(one.names, codes, strict=True))
        law[codes] = 1.0
        for v in one.variables:
            stated = (do or {}).get(v.name)
            own = known.laws[v.name][tuple(at[p] for p in v.parents)] if stated is None else stated
            law[codes] *= own[at[v.name]]
    return law


def _random_scenario(draw):
    """A random graph over up to six variables of two or three levels."""
    count = draw(st.integers(3, 6))
    names = [f"v{i}" for i in range(count)]
    edges = draw(st.lists(st.sampled_from(list(combinations(names, 2))), unique=True, max_size=9))
    return scenario(
        *(
            variable(n, tuple(a for a, b in edges if b == n), levels=("p", "q", "r")[: draw(st.integers(2, 3))])
            for n in names
        )
    )


random_scenarios = st.composite(_random_scenario)()


def test_a_law_by_hand(toy):
    """P(t = yes, y = yes) = .6(.2)(.3) + .4(.7)(.8) = .26, of P(t = yes) = .4."""
    assert np.allclose(toy.law(["t", "y"])[1], [0.14, 0.26])
    assert np.allclose(toy.law(["y", "t"]), toy.law(["t", "y"]).T)
    assert toy.mean("y", given={"t": "yes"}) == pytest.approx(0.65)
    assert toy.mean("y", {"t": "yes"}) == pytest.approx(0.5)
    assert np.allclose(toy.marginal("z", given={"t": "yes"}), [0.3, 0.7])
    assert np.allclose(toy.marginal("z", {"t": "yes"}), [0.6, 0.4])


@settings(deadline=None, max_examples=40)
@given(one=random_scenarios, seed=st.integers(0, 99), data=st.data())
def test_every_law_is_the_one_of_the_enumerated_joint(one, seed, data):
    known = random_laws(one, seed)
    exact = ExactLaws(one, known, LIMIT)
    done = data.draw(st.sampled_from([None, *one.names]))
    names = data.draw(st.lists(st.sampled_from(one.names), unique=True, min_size=1))
    seen = data.draw(st.sampled_from([None, *one.names]))
    law = np.random.default_rng(seed).dirichlet(np.ones(len(one[done].levels))) if done else None
    do = {done: dict(zip(one[done].levels, law, strict=True))} if done else {}
    joint = _enumerated(one, known, {done: law} if done else {})
    given = {}
    if seen:
        given = {seen: one[seen].levels[-1]}
        mask = np.zeros(len(one[seen].levels))
        mask[-1] = 1
        joint = joint * mask.reshape([-1 if n == seen else 1 for n in one.names])
        joint = joint / joint.sum()
    kept = joint.sum(axis=tuple(i for i, n in enumerate(one.names) if n not in names))
    order = [n for n in one.names if n in names]
    assert np.allclose(exact.law(names, do, given), kept.transpose([order.index(n) for n in names]), atol=1e-12)


def test_the_joint_law_is_the_enumerated_one():
    one = entangled()
    known = random_laws(one, 1)
    exact = ExactLaws(one, known, LIMIT)
    assert np.allclose(exact.joint(), _enumerated(one, known), atol=1e-14)
    assert np.allclose(exact.joint({"l": "high"}), _enumerated(one, known, {"l": np.eye(3)[2]}), atol=1e-14)


def test_a_stochastic_intervention_mixes_the_pinned_ones(toy):
    half = toy.mean("y", {"t": {"no": 0.25, "yes": 0.75}})
    assert half == pytest.approx(0.25 * 0.22 + 0.75 * 0.5)
    assert np.allclose(toy.joint({"t": {"yes": 1.0}}), toy.joint({"t": "yes"}))


def test_a_frame_has_a_line_for_every_combination(toy):
    frame = toy.frame(["t", "y"], given={"z": "yes"})
    assert list(frame.columns) == ["t", "y", "probability"]
    assert frame[["t", "y"]].astype(str).to_numpy().tolist() == [
        ["no", "no"],
        ["no", "yes"],
        ["yes", "no"],
        ["yes", "yes"],
    ]
    assert np.allclose(frame["probability"], [0.3 * 0.6, 0.3 * 0.4, 0.7 * 0.2, 0.7 * 0.8])
    assert frame["t"].cat.ordered


def test_effects_by_hand(toy):
    assert toy.ate("t", "y") == pytest.approx(0.28)
    assert toy.ate("t", "y", ("yes", "no")) == pytest.approx(-0.28)
    assert toy.cate("t", "y", {"z": "no"}) == pytest.approx(0.2)
    assert toy.cate("t", "y", {"z": "yes"}) == pytest.approx(0.4)
    assert toy.ate("z", "y") == pytest.approx((0.3 * 0.4 + 0.7 * 0.8) - (0.8 * 0.1 + 0.2 * 0.3))
    assert toy.cde("z", "y", {"t": "yes"}) == pytest.approx(0.5)
    assert toy.cde("z", "y", {"t": "no"}) == pytest.approx(0.3)
    assert toy.ate("y", "t") == 0


def test_scores_are_the_units_of_an_effect():
    one = scenario(
        variable("z"),
        variable("t", ("z",), role="treatment"),
        variable("y", ("z", "t"), role="outcome", scores=[1, 11]),
    )
    exact = ExactLaws(one, CONFOUNDED, LIMIT)
    assert exact.ate("t", "y") == pytest.approx(2.8)
    assert exact.mean("y", {"t": "no"}) == pytest.approx(1 + 10 * 0.22)


@settings(deadline=None, max_examples=30)
@given(one=random_scenarios, data=st.data())
def test_d_separation_implies_independence(one, data):
    exact = SequenceSCM(one, HashScorer()).exact()
    graph = nx.DiGraph(one.edges())
    graph.add_nodes_from(one.names)
    first, second = data.draw(st.lists(st.sampled_from(one.names), unique=True, min_size=2, max_size=2))
    given = data.draw(st.lists(st.sampled_from([n for n in one.names if n not in (first, second)]), unique=True))
    if nx.is_d_separator(graph, {first}, {second}, set(given)):
        assert exact.independent(first, second, given)
        assert exact.conditional_mutual_information(first, second, given) == pytest.approx(0, abs=1e-12)
    if exact.conditional_mutual_information(first, second, given) > 1e-9:
        assert not nx.is_d_separator(graph, {first}, {second}, set(given))


def test_independence_in_the_toys(toy):
    """z → t → y with z → y: nothing is independent, until the treatment is done and not seen."""
    assert not toy.independent("z", "t")
    assert not toy.independent("z", "y", "t")
    assert toy.independent("z", "t", do={"t": {"no": 0.5, "yes": 0.5}})
    collider = ExactLaws(
        scenario(variable("a"), variable("b"), variable("c", ("a", "b"))),
        Known({"a": [0.5, 0.5], "b": [0.3, 0.7], "c": [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]}),
        LIMIT,
    )
    assert collider.independent("a", "b")
    assert not collider.independent("a", "b", ["c"])
    assert not collider.independent(["a", "b"], "c")
    assert collider.independent("a", "c", tolerance=0.21)  # P(c = yes | a) = .7 or .3: the cells differ by .1
    assert not collider.independent("a", "c", tolerance=0.09)


def test_mutual_information_by_hand():
    """A copy of a fair coin tells log 2; one that errs in a tenth of cases, log 2 less the entropy of the error."""
    one = scenario(variable("a"), variable("copy", ("a",)), variable("noisy", ("a",)))
    exact = ExactLaws(one, Known({"a": [0.5, 0.5], "copy": [[1, 0], [0, 1]], "noisy": [[0.9, 0.1], [0.1, 0.9]]}), LIMIT)
    error = -(0.1 * np.log(0.1) + 0.9 * np.log(0.9))
    assert exact.conditional_mutual_information("a", "copy") == pytest.approx(np.log(2))
    assert exact.conditional_mutual_information("noisy", "a") == pytest.approx(np.log(2) - error)
    assert exact.conditional_mutual_information("noisy", "a", ["copy"]) == 0
    strengths = exact.edge_strengths()
    assert strengths.to_numpy()[:, :2].tolist() == [["a", "copy"], ["a", "noisy"]]
    assert np.allclose(strengths["nats"], [np.log(2), np.log(2) - error])


def test_an_edge_that_changes_nothing_has_no_strength():
    one = scenario(variable("a"), variable("b"), variable("c", ("a", "b")))
    exact = ExactLaws(one, Known({"a": [0.5, 0.5], "b": [0.3, 0.7], "c": [[[0.2, 0.8]] * 2, [[0.6, 0.4]] * 2]}), LIMIT)
    strengths = exact.edge_strengths().set_index("parent")["nats"]
    assert strengths["b"] == pytest.approx(0, abs=1e-15)
    assert strengths["a"] > 0.05


def test_only_the_tables_that_a_query_needs_are_asked_for_and_once():
    one = entangled()
    known = random_laws(one, 3)
    exact = ExactLaws(one, known, LIMIT)
    assert known.asked == []
    exact.ate("t", "l")
    assert known.asked == ["z", "l"]
    exact.ate("t", "l")
    assert known.asked == ["z", "l"]


def test_a_graph_whose_joint_law_is_far_too_large_has_exact_marginals():
    """A chain of forty: 2^40 cells at once, four at a time."""
    names = [f"v{i}" for i in range(40)]
    one = scenario(variable("v0"), *(variable(b, (a,)) for a, b in pairwise(names)))
    step = np.array([[0.9, 0.1], [0.2, 0.8]])
    exact = ExactLaws(one, Known({"v0": [1, 0]} | dict.fromkeys(names[1:], step)), 1000)
    assert np.allclose(exact.marginal("v39"), np.linalg.matrix_power(step, 39)[0])
    assert exact.ate("v0", "v39") == pytest.approx(0.7**39)
    with pytest.raises(
        TooLarge, match=r"the joint law of 'made' has 1,099,511,627,776 cells, more than the limit of 1,0"
    ):
        exact.joint()


def test_tables_beyond_the_limit_are_refused_before_any_is_asked_for():
    known = random_laws(confounder(), 1)
    with pytest.raises(TooLarge, match=r"the complete tables of 'made' have 14 cells, more than the limit of 13"):
        ExactLaws(confounder(), known, 13)
    with pytest.raises(TooLarge, match="sample rows instead, or raise the limit"):
        ExactLaws(load_scenario("breast_cancer"), known, 2_000_000)
    ExactLaws(confounder(), known, 14)
    assert known.asked == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: e.law(["x"]), "no variable 'x'"),
        (lambda e: e.law(["z", "z"]), "named twice"),
        (lambda e: e.law("zt"), "given the text 'zt'"),
        (lambda e: e.joint({"t": "maybe"}), "has no level 'maybe'; it has: no, yes"),
        (lambda e: e.mean("y", given={"t": "maybe"}), "has no level 'maybe'; it has: no, yes"),
        (lambda e: e.marginal("x"), "no variable 'x'"),
        (lambda e: e.mean("y", {"t": "no"}, {"t": "yes"}), "the evidence t='yes' has probability zero"),
        (lambda e: e.ate("t", "t"), "treatment and outcome are both 't'"),
        (lambda e: e.ate("t", "x"), "no variable 'x'"),
        (lambda e: e.ate("t", "y", ("no", "maybe")), "has no level 'maybe'"),
        (lambda e: e.ate("t", "y", "no"), "contrast must be two levels of 't'"),
        (lambda e: e.ate("t", "y", ("no",)), "contrast must be two levels of 't'"),
        (lambda e: e.cate("z", "y", {"t": "yes"}), "fixed before the treatment, but 't' is moved by 'z'"),
        (lambda e: e.cate("t", "y", {"t": "yes"}), "'t' is the treatment"),
        (lambda e: e.cde("z", "y", {}), "cde holds other variables"),
        (lambda e: e.cde("z", "y", {"y": "no"}), "cde holds other variables"),
        (lambda e: e.independent([], "y"), "one of them is empty"),
        (lambda e: e.independent("z", "y", ["y"]), "named twice"),
        (lambda e: ExactLaws(e.scenario, CONFOUNDED, 100, coupling="none"), "no coupling 'none'"),
    ],
)
def test_what_does_not_fit_is_refused(toy, call, said):
    with pytest.raises(ScenarioError, match=said):
        call(toy)


def test_evidence_of_probability_zero_is_refused():
    one = scenario(variable("a"), variable("b", ("a",)))
    exact = ExactLaws(one, Known({"a": [1, 0], "b": [[0.5, 0.5], [0, 1]]}), LIMIT)
    with pytest.raises(ScenarioError, match="evidence a='yes', b='yes' has probability zero"):
        exact.law(["b"], given={"a": "yes", "b": "yes"})


def test_names_that_are_done_or_seen_have_all_their_mass_on_that_level():
    exact = ExactLaws(entangled(), random_laws(entangled(), 5), LIMIT)
    law = exact.law(["y", "z", "l", "t"], {"t": "yes"}, {"z": "no"})
    assert law.shape == (2, 2, 3, 2)
    assert np.allclose(law[:, 0, :, 1], exact.law(["y", "l"], {"t": "yes"}, {"z": "no"}))
    assert law[:, 0, :, 1].sum() == pytest.approx(1)
    assert np.count_nonzero(law) == 6
