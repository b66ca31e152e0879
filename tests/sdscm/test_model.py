"""Sampling, intervening and counterfactuals, against laws worked out by hand or by enumeration."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdscm import ScenarioError, SequenceSCM, TooLarge, load_scenario
from sdscm.benchmark import make_benchmark

from .laws import CONFOUNDER, HashScorer, TableScorer, confounder, scenario, variable

# By hand, from the table in laws.py.
P_Y_DO = {"no": 0.6 * 0.1 + 0.4 * 0.4, "yes": 0.6 * 0.3 + 0.4 * 0.8}  # standardised over z: .22 and .50
P_T = 0.6 * 0.2 + 0.4 * 0.7  # .40
P_Y_GIVEN = {
    "yes": (0.6 * 0.2 * 0.3 + 0.4 * 0.7 * 0.8) / P_T,  # .65
    "no": (0.6 * 0.8 * 0.1 + 0.4 * 0.3 * 0.4) / (1 - P_T),  # .16
}


@pytest.fixture
def toy() -> SequenceSCM:
    return SequenceSCM(confounder(), CONFOUNDER)


def _enumerated(one, do: dict[str, str]) -> dict[str, dict[str, float]]:
    """Marginals under the hash scorer, by walking through every combination of levels."""
    marginals = {v.name: dict.fromkeys(v.levels, 0.0) for v in one.variables}
    for world in product(*(v.levels for v in one.variables)):
        values = dict(zip(one.names, world, strict=True))
        weight = 1.0
        for v in one.variables:
            if v.name in do:
                weight *= values[v.name] == do[v.name]
            elif v.law == "uniform":
                weight /= len(v.levels)
            else:
                context = one.context(v.name, {p: values[p] for p in v.parents})
                masses = {level: np.exp(HashScorer.logit(context, level)) for level in v.levels}
                weight *= masses[values[v.name]] / sum(masses.values())
        for name, level in values.items():
            marginals[name][level] += weight
    return marginals


def _shares(column: pd.Series, levels) -> np.ndarray:
    return np.array([(column == level).mean() for level in levels])


def _within_four_standard_errors(shares, law, rows) -> bool:
    law = np.asarray(law)
    return bool((np.abs(shares - law) <= 4 * np.sqrt(np.clip(law * (1 - law), 0, None) / rows) + 1e-12).all())


@pytest.mark.parametrize("do", [{}, {"tutoring": "yes"}, {"income": "high", "homework": "none"}], ids=str)
def test_exact_marginals_equal_enumeration(do):
    one = load_scenario("tutoring")
    do = {name: level if level in one[name].levels else one[name].levels[-1] for name, level in do.items()}
    exact = SequenceSCM(one, HashScorer()).exact()
    for name, law in _enumerated(one, do).items():
        assert np.allclose(exact.marginal(name, do), list(law.values()), atol=1e-12)


@pytest.mark.parametrize("do", [None, {"tutoring": 1}])
def test_sampling_frequencies_are_those_of_the_exact_law(do):
    one, rows = load_scenario("tutoring"), 20_000
    pinned = {name: one[name].levels[code] for name, code in (do or {}).items()}
    frame = SequenceSCM(one, HashScorer()).sample(rows, seed=3, do=pinned).frame
    for name, law in _enumerated(one, pinned).items():
        assert _within_four_standard_errors(_shares(frame[name], law), list(law.values()), rows), name


def test_pairs_are_drawn_from_the_joint_law(toy):
    rows = 20_000
    frame = toy.sample(rows, seed=5).frame
    joint = toy.exact().joint()
    for z, t, y in product((0, 1), repeat=3):
        p_t, p_y = (0.2, 0.7)[z], ((0.1, 0.3), (0.4, 0.8))[z][t]
        law = (0.6, 0.4)[z] * (p_t if t else 1 - p_t) * (p_y if y else 1 - p_y)
        share = ((frame["z"].cat.codes == z) & (frame["t"].cat.codes == t) & (frame["y"].cat.codes == y)).mean()
        assert joint[z, t, y] == pytest.approx(law)
        assert _within_four_standard_errors(share, law, rows)


def test_the_exact_effect_of_a_confounded_treatment_is_the_standardised_one(toy):
    exact = toy.exact()
    assert exact.ate("t", "y") == pytest.approx(P_Y_DO["yes"] - P_Y_DO["no"])  # .28, not the .49 of the groups
    assert exact.mean("y", {"t": "yes"}) == pytest.approx(0.50)
    assert exact.mean("y") == pytest.approx(P_T * P_Y_GIVEN["yes"] + (1 - P_T) * P_Y_GIVEN["no"])
    assert exact.ate("t", "y", ("yes", "no")) == pytest.approx(-0.28)
    assert exact.ate("y", "t") == pytest.approx(0)  # an effect has no effect on its cause


def test_scores_of_levels_scale_the_effect():
    one = scenario(
        variable("z"),
        variable("t", ("z",), role="treatment"),
        variable("y", ("z", "t"), role="outcome", scores=[1, 11]),
    )
    exact = SequenceSCM(one, CONFOUNDER).exact()
    assert exact.ate("t", "y") == pytest.approx(2.8)
    assert exact.mean("y", {"t": "no"}) == pytest.approx(1 + 10 * 0.22)


def test_do_pins_the_variable_and_only_moves_what_follows_from_it(toy):
    observed, pinned = toy.sample(500, seed=2), toy.sample(500, seed=2, do={"t": "yes"})
    assert (pinned.frame["t"] == "yes").all()
    assert (pinned.frame["z"] == observed.frame["z"]).all()
    treated = (observed.frame["t"] == "yes").to_numpy()
    assert (pinned.frame["y"][treated] == observed.frame["y"][treated]).all()
    assert pinned.do == {"t": "yes"}


def test_counterfactual_under_the_factual_value_returns_the_factual_row():
    one = load_scenario("tutoring")
    model = SequenceSCM(one, HashScorer())
    factual = model.sample(400, seed=11)
    for name in one.names:
        for level in one[name].levels:
            other = model.counterfactual(factual, {name: level}).frame
            same = (factual.frame[name] == level).to_numpy()
            assert other[same].equals(factual.frame[same]), (name, level)


def test_non_descendants_never_change():
    one = load_scenario("tutoring")
    graph = nx.DiGraph(one.edges())
    graph.add_nodes_from(one.names)
    model = SequenceSCM(one, HashScorer())
    factual = model.sample(400, seed=12)
    for name in one.names:
        keep = [n for n in one.names if n != name and n not in nx.descendants(graph, name)]
        for level in one[name].levels:
            other = model.counterfactual(factual, {name: level}).frame
            assert other[keep].equals(factual.frame[keep])
            assert (other[name] == level).all()


def test_counterfactuals_of_everyone_have_the_interventional_law(toy):
    rows = 20_000
    factual = toy.sample(rows, seed=8)
    for level, law in P_Y_DO.items():
        share = (toy.counterfactual(factual, {"t": level}).frame["y"] == "yes").mean()
        assert _within_four_standard_errors(share, law, rows)


def test_a_counterfactual_of_the_observed_equals_the_arm_drawn_with_the_same_seed(toy):
    arm = toy.sample(300, seed=4, do={"t": "no"})
    other = toy.counterfactual(toy.sample(300, seed=4), {"t": "no"})
    assert other.frame.equals(arm.frame)


def test_what_was_pinned_stays_pinned_in_further_counterfactuals():
    """a → b → c: with b held, changing a twice must not set b free."""
    one = scenario(variable("a"), variable("b", ("a",)), variable("c", ("b",)), variable("d"))
    model = SequenceSCM(one, HashScorer())
    arm = model.sample(200, seed=1, do={"b": "yes"})
    first = model.counterfactual(arm, {"d": "no"})
    assert first.do == {"b": "yes", "d": "no"}
    second = model.counterfactual(first, {"a": "yes"})
    assert (second.frame["b"] == "yes").all()
    assert (second.frame["d"] == "no").all()
    assert second.frame["c"].equals(arm.frame["c"])
    released = model.counterfactual(second, {"b": "no"})
    assert (released.frame["b"] == "no").all()


@settings(deadline=None, max_examples=20)
@given(few=st.integers(1, 40), more=st.integers(0, 60), seed=st.integers(0, 2**40))
def test_a_row_does_not_depend_on_how_many_are_drawn(few, more, seed):
    model = SequenceSCM(confounder(), CONFOUNDER)
    short, long = model.sample(few, seed), model.sample(few + more, seed)
    assert long.frame.head(few).equals(short.frame)


def test_other_seeds_give_other_rows(toy):
    assert not toy.sample(100, 1).frame.equals(toy.sample(100, 2).frame)


def test_fixed_and_uniform_laws_are_not_asked_of_the_language_model():
    one = scenario(
        variable("u", levels=("a", "b", "c"), law="uniform"), variable("f", law=[0.25, 0.75]), variable("v", ("u", "f"))
    )
    scorer = HashScorer()
    model = SequenceSCM(one, scorer)
    assert np.allclose(model.exact().marginal("u"), 1 / 3)
    assert np.allclose(model.exact().marginal("f"), [0.25, 0.75])
    assert all(context.endswith("V:") for context in scorer.asked)
    frame = model.sample(8000, 1).frame
    assert _within_four_standard_errors((frame["f"] == "yes").mean(), 0.75, 8000)


def test_a_law_without_mass_on_a_level_never_draws_it():
    one = scenario(variable("f", levels=("a", "b", "c"), law=[0.5, 0.0, 0.5]), variable("v", ("f",)))
    model = SequenceSCM(one, HashScorer())
    assert "b" not in set(model.sample(2000, 1).frame["f"])
    assert model.exact().marginal("f")[1] == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: m.sample(0, 1), "rows=0"),
        (lambda m: m.sample(5, 1, {"x": "yes"}), "no variable 'x'"),
        (lambda m: m.sample(5, 1, {"t": "maybe"}), "no level 'maybe'"),
        (lambda m: m.counterfactual(m.sample(5, 1), {"t": "maybe"}), "no level 'maybe'"),
        (
            lambda m: m.counterfactual(SequenceSCM(load_scenario("toy_collider"), HashScorer()).sample(5, 1), {}),
            "not one",
        ),
        (lambda m: m.exact().joint({"t": "maybe"}), "no level 'maybe'"),
        (lambda m: m.exact().marginal("x"), "no variable 'x'"),
        (lambda m: m.sample(5, 1, given={"t": "yes"}, by="tables"), "none of rejection, table"),
        (lambda m: m.sample(5, -1), "non-negative integer"),
        (lambda m: SequenceSCM(m.scenario, CONFOUNDER, temperature=1e-310), "temperature"),
        (lambda m: m.exact(limit=13), "14 cells, more than the limit of 13"),
        (lambda m: SequenceSCM(m.scenario, CONFOUNDER, temperature=0.0), "temperature must be positive"),
        (lambda m: SequenceSCM(m.scenario, CONFOUNDER, temperature=float("nan")), "temperature must be positive"),
    ],
)
def test_what_does_not_fit_is_refused(toy, call, said):
    with pytest.raises(ScenarioError, match=said):
        call(toy)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (["t"], "must be a mapping"),
        ({"y": "maybe"}, "no level 'maybe'"),
        ({"z": "no"}, "z = yes has probability zero, since do sets 'z' otherwise"),
        ({"z": {"no": 1.0, "yes": 0.0}}, "z = yes has probability zero"),
    ],
)
def test_an_intervention_that_does_not_fit_is_refused_before_rows_are_looked_for(do, said):
    scorer = HashScorer()
    with pytest.raises(ScenarioError, match=said):
        SequenceSCM(confounder(), scorer).sample(5, 1, do, given={"z": "yes"})
    assert scorer.asked == []


def test_a_joint_law_beyond_the_limit_is_too_large():
    with pytest.raises(TooLarge, match="sample rows instead"):
        SequenceSCM(load_scenario("breast_cancer"), HashScorer()).exact()


def test_a_benchmarks_truths_are_those_of_the_law(toy):
    rows = 20_000
    made = make_benchmark(toy, rows, seed=6)
    assert made.exact_ate == pytest.approx(0.28)
    assert abs(made.sample_ate - 0.28) < 4 * made.unit_effect_sd / np.sqrt(rows)
    error = np.sqrt(0.65 * 0.35 / (rows * P_T) + 0.16 * 0.84 / (rows * (1 - P_T)))
    assert made.difference_in_means is not None
    assert abs(made.difference_in_means - (0.65 - 0.16)) < 4 * error
    assert list(made.frame.columns) == ["z", "t", "y", "y__do_no", "y__do_yes"]
    own = np.where(made.frame["t"] == "yes", made.frame["y__do_yes"], made.frame["y__do_no"])
    assert (own == made.frame["y"]).all()
    effects = (made.frame["y__do_yes"] == "yes").astype(int) - (made.frame["y__do_no"] == "yes").astype(int)
    assert made.sample_ate == pytest.approx(effects.mean())
    assert made.unit_effect_sd == pytest.approx(effects.std(ddof=0))


def test_a_benchmark_whose_groups_are_empty_has_no_difference_in_means():
    one = scenario(variable("t", role="treatment", law=[1.0, 0.0]), variable("y", ("t",), role="outcome"))
    made = make_benchmark(SequenceSCM(one, HashScorer()), 50, seed=1)
    assert made.difference_in_means is None
    assert made.exact_ate is not None


COUPLINGS = pytest.mark.parametrize("coupling", ["gumbel", "inverse_cdf"])


@COUPLINGS
def test_either_coupling_draws_the_law_and_keeps_units_themselves(coupling):
    rows = 20_000
    model = SequenceSCM(confounder(), CONFOUNDER, coupling=coupling)
    factual = model.sample(rows, seed=3)
    assert _within_four_standard_errors((factual.frame["t"] == "yes").mean(), P_T, rows)
    for level, law in P_Y_DO.items():
        other = model.counterfactual(factual, {"t": level}).frame
        same = (factual.frame["t"] == level).to_numpy()
        assert other[same].equals(factual.frame[same])
        assert _within_four_standard_errors((other["y"] == "yes").mean(), law, rows)
    assert factual.manifest["coupling"] == coupling


def test_the_couplings_differ_in_how_worlds_hang_together():
    """With one uniform number nobody moves from the first level to the last by a law that shifts to the first; Gumbel may."""
    one = scenario(variable("t", role="treatment"), variable("y", ("t",), levels=("a", "b", "c"), role="outcome"))
    scorer = TableScorer({"T: no. Y:": [0.4, 0.3, 0.3], "T: yes. Y:": [0.3, 0.6, 0.1], "T:": [0.5, 0.5]})
    moved = {}
    for coupling in ("gumbel", "inverse_cdf"):
        no, yes = SequenceSCM(one, scorer, coupling=coupling).worlds(5000, 1, [{"t": "no"}, {"t": "yes"}])
        moved[coupling] = ((no.frame["y"] == "a") & (yes.frame["y"] == "c")).mean(), (yes.frame["y"] == "c").mean()
    assert moved["inverse_cdf"][0] == 0
    assert all(_within_four_standard_errors(share, 0.1, 5000) for _, share in moved.values())
    assert moved["gumbel"][0] == 0  # c's odds against a fell, and Gumbel-max is stable
    no, yes = SequenceSCM(one, scorer).worlds(5000, 1, [{"t": "no"}, {"t": "yes"}])
    assert ((no.frame["y"] == "c") & (yes.frame["y"] == "b")).any()


@settings(deadline=None, max_examples=25)
@given(ids=st.lists(st.integers(0, 3000), min_size=1, max_size=20, unique=True), seed=st.integers(0, 2**40))
def test_any_subset_of_rows_can_be_drawn_alone(ids, seed):
    model = SequenceSCM(confounder(), CONFOUNDER)
    part, whole = model.sample(ids, seed), model.sample(3001, seed)
    assert part.frame.equals(whole.frame.iloc[ids])
    assert list(part.frame.index) == ids
    assert all((part.noise[name] == whole.noise[name][ids]).all() for name in ("z", "t", "y"))
    arm = model.counterfactual(part, {"t": "yes"}).frame
    assert arm.equals(model.counterfactual(whole, {"t": "yes"}).frame.iloc[ids])


def test_worlds_drawn_together_are_those_drawn_one_by_one():
    one = load_scenario("tutoring")
    dos = [None, {"tutoring": "yes"}, {"tutoring": {"no": 0.5, "yes": 0.5}, "income": "low"}]
    together = SequenceSCM(one, HashScorer()).worlds(300, 4, dos)
    for do, world in zip(dos, together, strict=True):
        alone = SequenceSCM(one, HashScorer()).sample(300, 4, do)
        assert world.frame.equals(alone.frame)
        assert world.do == (do or {})


def test_blocks_change_nothing(monkeypatch):
    """However few contexts are worked on together, the rows are the same."""
    one = load_scenario("tutoring")
    expected = SequenceSCM(one, HashScorer()).worlds(200, 4, [None, {"tutoring": "yes"}])
    monkeypatch.setattr("sdscm.scores.CONTEXTS_AT_ONCE", 2)
    scorer, seen = HashScorer(), []
    model = SequenceSCM(one, scorer)
    blocked = model.worlds(200, 4, [None, {"tutoring": "yes"}], progress=lambda done, total: seen.append((done, total)))
    for world, other in zip(blocked, expected, strict=True):
        assert world.frame.equals(other.frame)
    assert len(scorer.asked) == len(set(scorer.asked)) == model.tables.contexts_scored
    assert seen == sorted(seen)
    assert seen[-1] == (400 * len(one.names), 400 * len(one.names))


def test_several_targets_are_set_at_once(toy):
    frame = toy.sample(200, 1, {"z": "yes", "t": "no"}).frame
    assert (frame["z"] == "yes").all()
    assert (frame["t"] == "no").all()


def test_a_stochastic_intervention_draws_the_stated_law_whatever_the_parents(toy):
    rows = 20_000
    frame = toy.sample(rows, 2, {"t": {"no": 0.25, "yes": 0.75}}).frame
    for z in ("no", "yes"):
        part = frame[frame["z"] == z]
        assert _within_four_standard_errors((part["t"] == "yes").mean(), 0.75, len(part))
    law = 0.25 * P_Y_DO["no"] + 0.75 * P_Y_DO["yes"]  # t no longer depends on z
    assert _within_four_standard_errors((frame["y"] == "yes").mean(), law, rows)


@pytest.mark.parametrize("by", ["rejection", "table"])
def test_conditioning_is_not_intervening(toy, by):
    rows = 8000
    seen = toy.sample(rows, 3, given={"t": "yes"}, by=by)
    assert (seen.frame["t"] == "yes").all()
    assert len(seen.frame) == rows
    assert _within_four_standard_errors((seen.frame["z"] == "yes").mean(), 0.4 * 0.7 / P_T, rows)
    assert _within_four_standard_errors((seen.frame["y"] == "yes").mean(), P_Y_GIVEN["yes"], rows)
    assert toy.counterfactual(seen, {"t": "yes"}).frame.equals(seen.frame)
    arm = toy.counterfactual(seen, {"t": "no"}).frame  # E[Y_no | T = yes], by the law of z among the treated
    law = 0.7 * 0.4 + 0.3 * 0.1
    assert _within_four_standard_errors((arm["y"] == "yes").mean(), law, rows)
    assert seen.manifest["given"] == {"t": "yes"}


def test_rows_kept_by_rejection_are_rows_of_the_stream(toy):
    kept, whole = toy.sample(50, 3, given={"t": "yes"}).frame, toy.sample(2000, 3).frame
    assert list(kept.index) == list(whole.index[whole["t"] == "yes"][:50])
    assert kept.equals(whole.loc[kept.index])


def test_conditioning_in_an_intervened_world(toy):
    frame = toy.sample(4000, 5, {"t": "yes"}, given={"y": "yes"}).frame
    assert (frame["t"] == "yes").all()
    assert _within_four_standard_errors((frame["z"] == "yes").mean(), 0.4 * 0.8 / 0.5, 4000)


def test_what_never_holds_is_refused():
    one = scenario(variable("a", law=[1.0, 0.0]), variable("b", ("a",)))
    model = SequenceSCM(one, HashScorer())
    with pytest.raises(ScenarioError, match="too rare"):
        model.sample(5, 1, given={"a": "yes"})
    with pytest.raises(ScenarioError, match="probability zero"):
        model.sample(5, 1, given={"a": "yes"}, by="table")


@COUPLINGS
def test_a_row_observed_without_noise_is_itself_under_its_own_treatment(coupling):
    one = load_scenario("tutoring")
    model = SequenceSCM(one, HashScorer(), coupling=coupling)
    observed = model.sample(400, seed=11).frame.astype(str)
    again = model.abduct(observed, seed=99)
    for name in one.names:
        for level in one[name].levels:
            other = model.counterfactual(again, {name: level}).frame
            same = (observed[name] == level).to_numpy()
            assert other.astype(str)[same].equals(observed[same])


@COUPLINGS
def test_counterfactuals_of_abducted_rows_have_the_law_of_those_with_stored_noise(coupling):
    """Given the observed row, what would have been has the same law whichever way the noise is come by."""
    rows = 30_000
    model = SequenceSCM(confounder(), CONFOUNDER, coupling=coupling)
    factual = model.sample(rows, seed=1)
    stored = model.counterfactual(factual, {"t": "yes"}).frame
    drawn = model.counterfactual(model.abduct(factual.frame, seed=2), {"t": "yes"}).frame
    for z, y in product(("no", "yes"), repeat=2):
        here = ((factual.frame[["z", "t", "y"]] == [z, "no", y]).all(axis=1)).to_numpy()
        shares = [(frame["y"][here] == "yes").mean() for frame in (stored, drawn)]
        assert abs(shares[0] - shares[1]) <= 4 * np.sqrt(2 * 0.25 / here.sum())


def test_the_noise_of_what_was_pinned_is_not_inferred_from_it(toy):
    arm = toy.sample(4000, 1, {"t": "yes"})
    again = toy.abduct(arm.frame, 5, {"t": "yes"})
    assert abs(again.noise["t"].mean() - 0.5772) < 4 * np.pi / np.sqrt(6 * 8000)  # the mean of a standard Gumbel
    assert toy.counterfactual(again, {"z": "yes"}).frame["t"].eq("yes").all()


RANDOMISED = {"tutoring": {"no": 0.5, "yes": 0.5}}


@COUPLINGS
@pytest.mark.parametrize("by", [None, "rejection", "table"])
def test_rows_of_a_randomised_world_are_themselves_under_their_own_levels(coupling, by):
    """A level that was drawn tells of its noise, though it was drawn from a stated law."""
    one = load_scenario("tutoring")
    model = SequenceSCM(one, HashScorer(), coupling=coupling)
    if by is None:
        observed = model.sample(300, seed=3, do=RANDOMISED)
        again = model.abduct(observed.frame, 7, do=RANDOMISED)
    else:
        again = model.sample(300, 3, do=RANDOMISED, given={"passed": "yes"}, by=by)
    for level in one["income"].levels:
        other = model.counterfactual(again, {"income": level}).frame
        same = (again.frame["income"] == level).to_numpy()
        assert other[same].equals(again.frame[same])
        assert other["tutoring"].equals(again.frame["tutoring"])


def test_the_index_tells_which_rows_these_are(toy):
    for ids in ([0, 2, 1, 3], [0, 5, 2], [3, 3]):
        assert list(toy.sample(ids, 1).frame.index) == ids
        assert toy.sample(ids, 1).manifest["rows"] == ids
    assert toy.sample(4, 1).manifest["rows"] == 4


@pytest.mark.parametrize(
    "other",
    [
        lambda: SequenceSCM(confounder(), CONFOUNDER, coupling="inverse_cdf"),
        lambda: SequenceSCM(confounder().turned(overlap=0.5), CONFOUNDER),
        lambda: SequenceSCM(confounder(), CONFOUNDER, temperature=2.0),
    ],
)
def test_a_sample_of_another_model_has_no_counterfactual_here(toy, other):
    with pytest.raises(ScenarioError, match="not one of this model"):
        toy.counterfactual(other().sample(5, 1), {"t": "yes"})


def test_rare_conditions_are_looked_for_in_batches_that_stay_small(toy, monkeypatch):
    one = scenario(variable("a", law=[0.999, 0.001]), variable("b", ("a",)))
    model, sizes = SequenceSCM(one, HashScorer()), []
    sample = model.sample
    monkeypatch.setattr(
        model, "sample", lambda rows, *more, **named: sizes.append(np.size(rows)) or sample(rows, *more, **named)
    )
    assert (model.sample(400, 1, given={"a": "yes"}).frame["a"] == "yes").all()
    assert max(sizes) <= 2**18


def test_what_is_rejected_goes_no_further_down_than_it_must():
    """y is no cause of t: rows without the t asked for cost no context of y."""
    scorer = HashScorer()
    SequenceSCM(confounder(), scorer).sample(1, 3, given={"z": "yes", "t": "yes"})
    assert sum(text.endswith("Y:") for text in scorer.asked) == 1


def test_many_threads_may_sample_from_one_model():
    from concurrent.futures import ThreadPoolExecutor

    model = SequenceSCM(load_scenario("tutoring"), HashScorer())
    expected = [SequenceSCM(load_scenario("tutoring"), HashScorer()).sample(200, seed).frame for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        drawn = list(pool.map(lambda seed: model.sample(200, seed).frame, range(12)))
    assert all(one.equals(other) for one, other in zip(drawn, expected, strict=True))


def test_rows_that_cannot_be_are_refused():
    one = scenario(variable("a", law=[1.0, 0.0]), variable("b", ("a",)))
    model = SequenceSCM(one, HashScorer())
    with pytest.raises(ScenarioError, match=r"row 1 cannot be.*'a'"):
        model.abduct(pd.DataFrame({"a": ["no", "yes"], "b": ["no", "no"]}), 1)
    with pytest.raises(ScenarioError, match="no level 'maybe'"):
        model.abduct(pd.DataFrame({"a": ["no"], "b": ["maybe"]}), 1)
    with pytest.raises(ScenarioError, match="no level 'nan'"):
        model.abduct(pd.DataFrame({"a": ["no"], "b": [np.nan]}), 1)
    with pytest.raises(ScenarioError, match="lack the column 'b'"):
        model.abduct(pd.DataFrame({"a": ["no"]}), 1)
    with pytest.raises(ScenarioError, match="no row"):
        model.abduct(pd.DataFrame({"a": [], "b": []}), 1)


def test_the_manifest_tells_what_rows_are_made_from():
    drawn = SequenceSCM(confounder(), CONFOUNDER, "mean", 2.0, "inverse_cdf")
    told = drawn.manifest(seed=3)
    assert (told["rule"], told["temperature"], told["coupling"], told["seed"]) == ("mean", 2.0, "inverse_cdf", 3)
    assert told["scenario_digest"] == confounder().digest
    assert told["language_model"] == "TableScorer"


def test_a_benchmark_too_large_to_enumerate_has_no_exact_effect(monkeypatch):
    model = SequenceSCM(confounder(), CONFOUNDER)
    exact = model.exact
    monkeypatch.setattr(model, "exact", lambda most_contexts: exact(limit=1))
    assert make_benchmark(model, 20, seed=1).exact_ate is None
