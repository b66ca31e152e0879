"""Counterfactual effects: by hand, by listing every kind of unit, by simulation on stored noise, by textbook formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdscm import ScenarioError, SequenceSCM, TooLarge
from sdscm.exact import ExactLaws

from .laws import HashScorer, confounder, scenario, variable
from .units import CONFOUNDED, Known, Population, entangled, random_laws

LIMIT = 1_000_000
COUPLINGS = pytest.mark.parametrize("coupling", ["gumbel", "inverse_cdf"])


def _exact(one, known, coupling="inverse_cdf") -> ExactLaws:
    return ExactLaws(one, known, LIMIT, coupling)


@COUPLINGS
def test_effects_of_the_confounded_toy_by_hand(coupling):
    """Of two levels either coupling is monotone here: in each stratum of z, .2 and .4 flip from no to yes, none back."""
    exact = _exact(confounder(), CONFOUNDED, coupling)
    assert exact.ett("t", "y") == pytest.approx(0.3 * 0.2 + 0.7 * 0.4)  # P(z | t = yes) = .3, .7
    assert exact.ett("t", "y", ("yes", "no")) == pytest.approx(-(0.8 * 0.2 + 0.2 * 0.4))  # on the untreated, turned
    assert exact.pn("t", "y") == pytest.approx(0.34 / 0.65)  # of P(y | t = yes)
    assert exact.ps("t", "y") == pytest.approx(0.24 / 0.84)  # of P(not y | t = no)
    assert exact.pns("t", "y") == pytest.approx(0.6 * 0.2 + 0.4 * 0.4)
    assert exact.pn("t", "y", event="no") == pytest.approx(0)
    assert exact.total("t", "y") == pytest.approx(0.28)


@COUPLINGS
@settings(deadline=None)
@given(low=st.floats(0.01, 0.98), more=st.floats(0.001, 0.9), share=st.floats(0.05, 0.95))
def test_without_confounding_and_with_monotony_one_formula_gives_each(coupling, low, more, share):
    """Tian & Pearl (2000): PN is the excess risk ratio, PNS the risk difference."""
    high = min(0.99, low + more)
    one = scenario(variable("t", role="treatment"), variable("y", ("t",), role="outcome"))
    exact = _exact(one, Known({"t": [1 - share, share], "y": [[1 - low, low], [1 - high, high]]}), coupling)
    assert exact.pn("t", "y") == pytest.approx((high - low) / high)
    assert exact.ps("t", "y") == pytest.approx((high - low) / (1 - low))
    assert exact.pns("t", "y") == pytest.approx(high - low)


def _truth(one, known):
    people = Population(one, known)
    factual, none, all_ = people.solve(), people.solve({"t": "no"}), people.solve({"t": "yes"})
    treated = factual["t"] == 1
    direct = people.solve({"t": "yes"}, {"m": none["m"]})["y"]
    indirect = people.solve({"t": "no"}, {"m": all_["m"]})["y"]
    return {
        "ate": people.mean(all_["y"] - none["y"]),
        "ett": people.mean(all_["y"] - none["y"], treated),
        "pn": people.mean(none["y"] == 0, treated & (factual["y"] == 1)),
        "ps": people.mean(all_["y"] == 1, ~treated & (factual["y"] == 0)),
        "pns": people.mean((all_["y"] == 1) & (none["y"] == 0)),
        "nde": people.mean(direct - none["y"]),
        "nie": people.mean(indirect - none["y"]),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("concentration", [1.0, 0.2])
def test_effects_are_those_of_the_population_of_all_kinds_of_unit(seed, concentration):
    one = entangled()
    known = random_laws(one, seed, concentration)
    exact = _exact(one, known)
    for name, value in _truth(one, known).items():
        assert getattr(exact, name)("t", "y") == pytest.approx(value, abs=1e-10), name


@pytest.mark.parametrize("seed", range(3))
def test_counterfactual_laws_are_those_of_the_population(seed):
    one = entangled()
    known = random_laws(one, seed)
    exact, people = _exact(one, known), Population(one, known)
    factual, other = people.solve(), people.solve({"t": "no", "m": "yes"})
    among = (factual["t"] == 1) & (factual["l"] == 2) & (factual["y"] == 0)
    law = exact.counterfactual_law(["y", "z", "l", "m"], {"t": "no", "m": "yes"}, {"t": "yes", "l": "high", "y": "no"})
    for codes in np.ndindex(*law.shape):
        hit = np.all([other[n] == code for n, code in zip(["y", "z", "l", "m"], codes, strict=True)], axis=0)
        assert law[codes] == pytest.approx(people.mean(hit, among), abs=1e-10)


def test_a_counterfactual_under_the_factual_value_returns_the_factual_unit():
    exact = _exact(entangled(), random_laws(entangled(), 2), "gumbel")
    seen = {"t": "yes", "l": "middle", "y": "no"}
    assert exact.counterfactual_law(["y"], {"t": "yes"}, seen)[0] == pytest.approx(1)
    assert np.allclose(
        exact.counterfactual_law(["m", "l"], {"t": "yes"}, seen), exact.law(["m", "l"], given=seen), atol=1e-14
    )


def test_a_counterfactual_without_evidence_is_the_interventional_law():
    exact = _exact(entangled(), random_laws(entangled(), 2), "gumbel")
    for do in ({"l": "low"}, {"t": {"no": 0.3, "yes": 0.7}}):
        assert np.allclose(exact.counterfactual_law(["m", "y"], do), exact.law(["m", "y"], do), atol=1e-14)


def test_a_unit_keeps_its_noise_under_a_stochastic_intervention():
    """To let a variable follow its own law changes nobody; to let it follow another moves as few as the coupling does."""
    one = scenario(variable("a"), variable("b", ("a",)))
    exact = _exact(one, Known({"a": [0.5, 0.5], "b": [[0.8, 0.2], [0.3, 0.7]]}))
    same, more = {"no": 0.5, "yes": 0.5}, {"no": 0.2, "yes": 0.8}
    assert np.allclose(exact.counterfactual_law(["a"], {"a": same}, {"a": "no"}), [1, 0])
    assert np.allclose(exact.counterfactual_law(["a"], {"a": more}, {"a": "no"}), [0.4, 0.6])
    assert np.allclose(exact.counterfactual_law(["a"], {"a": more}, {"a": "yes"}), [0, 1])


@pytest.fixture(scope="module")
def drawn():
    """Forty thousand units of the entangled model with their noise, in the factual world and in both arms."""
    model = SequenceSCM(entangled(), HashScorer())
    factual = model.sample(40_000, seed=17)
    arms = {level: model.counterfactual(factual, {"t": level}) for level in ("no", "yes")}
    return model, factual, arms


def _codes(sample, name) -> np.ndarray:
    return sample.frame[name].cat.codes.to_numpy().astype(int)


def _agrees(found: float, values: np.ndarray) -> bool:
    return bool(abs(values.mean() - found) <= 4 * values.std() / np.sqrt(len(values)))


def test_effects_agree_with_simulation_on_gumbel_noise(drawn):
    model, factual, arms = drawn
    exact = ExactLaws(model.scenario, model.tables, LIMIT, "gumbel")
    none, all_ = _codes(arms["no"], "y"), _codes(arms["yes"], "y")
    treated, shown = _codes(factual, "t") == 1, _codes(factual, "y") == 1
    assert _agrees(exact.ate("t", "y"), all_ - none)
    assert _agrees(exact.ett("t", "y"), (all_ - none)[treated])
    assert _agrees(exact.pn("t", "y"), 1 - none[treated & shown])
    assert _agrees(exact.ps("t", "y"), all_[~treated & ~shown])
    assert _agrees(exact.pns("t", "y"), all_ * (1 - none))


def test_natural_effects_agree_with_simulation_on_gumbel_noise(drawn):
    """Each unit's mediator is pinned, in one arm, to what it is in the other."""
    model, factual, arms = drawn
    exact = ExactLaws(model.scenario, model.tables, LIMIT, "gumbel")
    none = _codes(arms["no"], "y")
    for own, theirs, found in [("yes", "no", exact.nde("t", "y")), ("no", "yes", exact.nie("t", "y"))]:
        nested = np.zeros(len(none), dtype=int)
        for code, level in enumerate(model.scenario["m"].levels):
            pinned = _codes(model.counterfactual(factual, {"t": own, "m": level}), "y")
            nested = np.where(_codes(arms[theirs], "m") == code, pinned, nested)
        assert _agrees(found, nested - none)


def test_counterfactual_laws_agree_with_simulation_on_gumbel_noise(drawn):
    model, factual, arms = drawn
    exact = ExactLaws(model.scenario, model.tables, LIMIT, "gumbel")
    seen = (_codes(factual, "t") == 1) & (_codes(factual, "l") == 1)
    law = exact.counterfactual_law(["l", "y"], {"t": "no"}, {"t": "yes", "l": "middle"})
    for codes in np.ndindex(*law.shape):
        hit = ((_codes(arms["no"], "l") == codes[0]) & (_codes(arms["no"], "y") == codes[1]))[seen]
        assert abs(hit.mean() - law[codes]) <= 4 * np.sqrt(law[codes] * (1 - law[codes]) / seen.sum()) + 1e-12


def test_stochastic_counterfactuals_agree_with_simulation_on_gumbel_noise(drawn):
    model, factual, _ = drawn
    exact = ExactLaws(model.scenario, model.tables, LIMIT, "gumbel")
    do = {"l": {"low": 0.2, "middle": 0.7, "high": 0.1}}
    other = model.counterfactual(factual, do)
    seen = (_codes(factual, "l") == 0) & (_codes(factual, "y") == 1)
    law = exact.counterfactual_law(["l", "m", "y"], do, {"l": "low", "y": "yes"})
    for codes in np.ndindex(*law.shape):
        hit = np.all([_codes(other, n) == code for n, code in zip("lmy", codes, strict=True)], axis=0)[seen]
        assert abs(hit.mean() - law[codes]) <= 4 * np.sqrt(law[codes] * (1 - law[codes]) / seen.sum()) + 1e-12


def _confounded_mediation():
    """z → t, m, y; t → m → y; t → y: no variable that the treatment moves confounds mediator and outcome."""
    return scenario(
        variable("z", levels=("a", "b", "c")),
        variable("t", ("z",), role="treatment"),
        variable("m", ("z", "t"), levels=("low", "middle", "high"), role="mediator"),
        variable("y", ("z", "t", "m"), role="outcome"),
    )


@COUPLINGS
@pytest.mark.parametrize("seed", range(3))
def test_natural_effects_are_those_of_the_mediation_formula(coupling, seed):
    one = _confounded_mediation()
    known = random_laws(one, seed)
    z, m, y = known.laws["z"], known.laws["m"], known.laws["y"][..., 1]
    exact = _exact(one, known, coupling)
    assert exact.nde("t", "y") == pytest.approx(np.einsum("z,zm,zm", z, m[:, 0], y[:, 1] - y[:, 0]))
    assert exact.nie("t", "y") == pytest.approx(np.einsum("z,zm,zm", z, m[:, 1] - m[:, 0], y[:, 0]))


@COUPLINGS
@pytest.mark.parametrize("seed", range(3))
def test_the_effect_on_the_treated_is_that_of_the_back_door_formula(coupling, seed):
    """E[Y_no | t = yes] = Σ_z E[Y | t = no, z] P(z | t = yes)."""
    one = _confounded_mediation()
    exact = _exact(one, random_laws(one, seed), coupling)
    strata = exact.marginal("z", given={"t": "yes"})
    untreated = [exact.mean("y", given={"t": "no", "z": level}) for level in one["z"].levels]
    assert exact.ett("t", "y") == pytest.approx(exact.mean("y", given={"t": "yes"}) - strata @ untreated)


@COUPLINGS
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), concentration=st.floats(0.1, 2))
def test_the_total_effect_is_the_direct_less_the_reverse_indirect_one(coupling, seed, concentration):
    exact = _exact(entangled(), random_laws(entangled(), seed, concentration), coupling)
    forward, back = ("no", "yes"), ("yes", "no")
    for contrast, reverse in [(forward, back), (back, forward)]:
        parts = exact.nde("t", "y", "m", contrast) - exact.nie("t", "y", ["m"], reverse)
        assert exact.total("t", "y", contrast) == pytest.approx(parts, abs=1e-12)


@COUPLINGS
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), concentration=st.floats(0.1, 2))
def test_probabilities_of_causation_keep_the_bounds_of_tian_and_pearl(coupling, seed, concentration):
    exact = _exact(entangled(), random_laws(entangled(), seed, concentration), coupling)
    (_, no_yes), (yes_no, yes_yes) = (seen := exact.law(["t", "y"]))
    low, high, shown = exact.mean("y", {"t": "no"}), exact.mean("y", {"t": "yes"}), exact.mean("y")
    pns, rounding = exact.pns("t", "y"), 1e-12
    assert pns >= max(0, high - low, shown - low, high - shown) - rounding
    assert pns <= min(high, 1 - low, yes_yes + seen[0, 0], high - low + yes_no + no_yes) + rounding
    pn = exact.pn("t", "y")
    # the bounds of PN, times P(t = yes, y = yes), which may be tiny
    assert max(0, shown - low) - rounding <= pn * yes_yes
    assert pn * yes_yes <= min(yes_yes, 1 - low - seen[0, 0]) + rounding
    assert pns == pytest.approx(yes_yes * pn + seen[0, 0] * exact.ps("t", "y"))  # of a treatment of two levels


def test_mediators_may_be_several_and_are_otherwise_those_of_that_role():
    """With every variable between treatment and outcome a mediator, the direct effect is that of the one edge."""
    exact = _exact(entangled(), random_laws(entangled(), 4))
    parents = exact.law(["z", "l", "m"], {"t": "no"})
    edge = exact.table("y")[:, 1, ..., 1] - exact.table("y")[:, 0, ..., 1]
    assert exact.nde("t", "y", ["l", "m"]) == pytest.approx((parents * edge).sum())
    assert exact.nde("t", "y") == exact.nde("t", "y", "m") != pytest.approx(exact.nde("t", "y", ["l", "m"]))


@COUPLINGS
def test_an_event_may_be_several_levels(coupling):
    """PNS of an event and of its complement sum to the share who change sides."""
    one = scenario(variable("t", role="treatment"), variable("y", ("t",), levels=("a", "b", "c"), role="outcome"))
    exact = _exact(one, Known({"t": [0.5, 0.5], "y": [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]}), coupling)
    up, down = exact.pns("t", "y", ["b", "c"]), exact.pns("t", "y", "a")
    assert up - down == pytest.approx(0.3)
    assert down == pytest.approx(0)
    assert exact.pn("t", "y", ["c", "b"]) == pytest.approx(0.3 / 0.8)


def test_where_the_treatment_moves_nothing_there_is_no_effect():
    exact = _exact(confounder(), CONFOUNDED)
    assert exact.ett("y", "z") == 0
    assert exact.pn("y", "z") == exact.ps("y", "z") == exact.pns("y", "z") == 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda e: e.counterfactual_law(["y"], {"t": "maybe"}), "has no level 'maybe'"),
        (lambda e: e.counterfactual_law(["y"], {"t": "no"}, {"x": "no"}), "no variable 'x'"),
        (lambda e: e.nde("t", "y"), "no variable of role 'mediator'; name the mediators"),
        (lambda e: e.nde("t", "y", []), "name the mediators"),
        (lambda e: e.nde("z", "y", "x"), "no variable 'x'"),
        (lambda e: e.nie("t", "y", "z"), "'z' cannot mediate between 't' and 'y'; moved by 't' are: none"),
        (lambda e: e.nie("z", "y", ["t", "y"]), "'y' cannot mediate between 'z' and 'y'; moved by 'z' are: t"),
        (lambda e: e.pn("t", "y", "maybe"), "has no level 'maybe'"),
        (lambda e: e.pn("t", "y", ["no", "yes"]), "an event must be some but not all levels of 'y'"),
        (lambda e: e.pns("t", "y", []), "an event must be some but not all"),
        (lambda e: e.ps("t", "y", contrast=("no", "maybe")), "has no level 'maybe'"),
    ],
)
def test_what_does_not_fit_is_refused(call, said):
    with pytest.raises(ScenarioError, match=said):
        call(_exact(confounder(), CONFOUNDED))


def test_evidence_of_probability_zero_is_refused():
    one = scenario(variable("t", role="treatment"), variable("y", ("t",), role="outcome"))
    exact = _exact(one, Known({"t": [0.5, 0.5], "y": [[0.5, 0.5], [1, 0]]}))
    with pytest.raises(ScenarioError, match=r"evidence t='yes', y in \['yes'\] has probability zero"):
        exact.pn("t", "y")
    never = _exact(one, Known({"t": [1, 0], "y": [[0.5, 0.5], [1, 0]]}))
    with pytest.raises(ScenarioError, match="evidence t='yes' has probability zero"):
        never.ett("t", "y")


def test_two_worlds_beyond_the_limit_are_refused():
    """y has 12 parents that the treatment moves: 2^12 contexts in each world, 2^26 cells in both."""
    names = [f"m{i}" for i in range(12)]
    one = scenario(
        variable("t", role="treatment"),
        *(variable(n, ("t",)) for n in names),
        variable("y", tuple(names), role="outcome"),
    )
    exact = _exact(one, random_laws(one, 1))
    assert exact.ate("t", "y") == pytest.approx(exact.mean("y", {"t": "yes"}) - exact.mean("y", {"t": "no"}))
    with pytest.raises(TooLarge, match=r"the law of 'y' in two worlds has 67,108,864 cells, more than the limit"):
        exact.pns("t", "y")
