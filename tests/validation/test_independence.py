"""The Markov check on data from the true graph and from others; the tests of one statement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, chi2_contingency

from validation import independence
from validation.independence import check_markov, independence_p_value
from validation.power import detectable_nats, single_level
from validation.separations import TooManySeparations

CHAIN = ("abc", [("a", "b"), ("b", "c")])
COLLIDER = ("abc", [("a", "c"), ("b", "c")])
DIAMOND = ("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])


def _data(order, edges, rows: int, seed: int, strength: float = 0.35) -> pd.DataFrame:
    """Binary data from a DAG: each parent that is 1 raises the chance of a 1."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(index=range(rows))
    for name in order:
        parents = [a for a, b in edges if b == name]
        chance = 0.3 + strength * sum((frame[p] for p in parents), start=np.zeros(rows)) / max(1, len(parents))
        frame[name] = (random.random(rows) < chance).astype(int)
    return frame


@pytest.mark.parametrize(
    ("dag", "test"),
    [(CHAIN, "gsq"), (COLLIDER, "gsq"), (DIAMOND, "gsq"), (DIAMOND, "chisq")],
    ids=["chain", "collider", "diamond", "diamond, χ²"],
)
def test_data_from_the_true_graph_pass(dag, test):
    """At a false-discovery rate of 1 % more than 3 failures of 60 have a probability below .3 %."""
    passed = sum(check_markov(_data(*dag, 800, seed), dag[1], test=test).passed for seed in range(60))
    assert passed >= 57


def test_an_edge_that_the_graph_lacks_is_found():
    data = _data(*DIAMOND, 3000, 1)
    graph = [("a", "b"), ("a", "c"), ("b", "d")]  # c → d is left out
    result = check_markov(data, graph, statements="basis")
    assert not result.passed
    table = result.table.set_index("independence")
    assert table.loc["d ⫫ c | b", "rejected"]
    assert not table.loc["c ⫫ b | a", "rejected"]
    assert table.loc["d ⫫ a | b", "rejected"]  # a reaches d through c
    assert "2 rejected" in result.text
    every = check_markov(data, graph)
    assert not every.passed
    assert len(every.table) == 7
    assert "every independence that the graph implies (7)" in every.text


def test_a_complete_graph_has_nothing_to_test():
    result = check_markov(_data("ab", [], 50, 1), [("a", "b")])
    assert result.passed
    assert "nothing to test" in result.text
    assert result.table.empty


def test_many_independences_are_tested_by_their_basis_and_the_text_says_so():
    result = check_markov(_data("abcdefgh", [], 400, 1), [])
    assert result.passed
    assert len(result.table) == 28
    assert (
        "a basis of the independences that the graph implies (28, one a missing edge; there are more than 500"
        in result.text
    )
    with pytest.raises(TooManySeparations):
        check_markov(_data("abcdefgh", [], 400, 1), [], statements="every")


def test_a_test_that_gives_no_number_fails_the_check(monkeypatch):
    monkeypatch.setattr("causallearn.utils.cit.CIT", lambda data, test: lambda first, second, given: float("nan"))
    result = check_markov(_data(*CHAIN, 400, 1), CHAIN[1])
    assert not result.passed
    assert "1 rejected at a false-discovery rate of 0.01, 1 of them because the test gave no number" in result.text


def test_a_missing_number_fails_beside_good_ones(monkeypatch):
    values = iter([0.7, float("nan")])
    monkeypatch.setattr("causallearn.utils.cit.CIT", lambda data, test: lambda first, second, given: next(values))
    result = check_markov(_data(*DIAMOND, 1000, 1), DIAMOND[1])
    assert result.table["rejected"].tolist() == [True, False]  # the least probable first
    assert not result.passed


def test_the_false_discovery_rate_is_held_by_benjamini_and_yekutielis_thresholds():
    """Three tests at .05: thresholds .05 · k / (3 · 11/6), that is .00909, .01818, .02727."""
    kept = independence._not_rejected
    assert kept(np.array([0.0092, 0.5, 0.5]), 0.05).tolist() == [True] * 3
    assert kept(np.array([0.0090, 0.5, 0.5]), 0.05).tolist() == [False, True, True]
    assert kept(np.array([0.0181, 0.0180, 0.5]), 0.05).tolist() == [False, False, True]
    assert kept(np.array([np.nan, 0.0092, 0.5]), 0.05).tolist() == [False, True, True]  # NaN lends no one its place


def test_the_power_of_each_statement_is_stated():
    result = check_markov(_data(*DIAMOND, 1000, 1), DIAMOND[1], false_discovery=0.05)
    level = single_level(2, 0.05)
    by_statement = result.table.set_index("independence")["detectable_nats"]
    assert by_statement["c ⫫ b | a"] == pytest.approx(detectable_nats(2, 1000, level))
    assert by_statement["d ⫫ a | b, c"] == pytest.approx(detectable_nats(4, 1000, level))
    assert f"worst {detectable_nats(4, 1000, level):.2g}, for d ⫫ a | b, c" in result.text
    assert "A true graph fails with probability at most 0.05." in result.text


def test_a_column_that_never_varies_passes_and_is_said_not_to_be_tested():
    data = _data(*CHAIN, 400, 1).assign(a=0)
    result = check_markov(data, CHAIN[1])
    assert result.passed
    assert result.table["test"].tolist() == ["no variation"]
    assert result.table["detectable_nats"].tolist() == [np.inf]
    assert "1 cannot be tested, since nothing varies in their strata." in result.text


@pytest.mark.parametrize("bad", [np.nan, -1, 0.37])
def test_a_row_without_a_level_fails_the_check(bad):
    data = _data(*CHAIN, 400, 1).astype(float)
    data.loc[7, "b"] = bad
    result = check_markov(data, CHAIN[1])
    assert not result.passed
    assert result.text.startswith("1 of 400 rows of 'b' hold no level index")


def test_no_rows_prove_nothing():
    result = check_markov(_data(*CHAIN, 0, 1), CHAIN[1])
    assert not result.passed
    assert "no rows" in result.text


def test_arguments_that_do_not_fit_are_refused():
    data = _data(*CHAIN, 50, 1)
    with pytest.raises(ValueError, match=r"at most 0\.5; given 1"):
        check_markov(data, CHAIN[1], false_discovery=1)
    with pytest.raises(ValueError, match="unknown end 'z'"):
        check_markov(data, [("a", "z")])
    with pytest.raises(ValueError, match="'fisherz' is none of gsq, chisq"):
        check_markov(data, CHAIN[1], test="fisherz")


@pytest.mark.parametrize(("test", "name", "power"), [("gsq", "G²", "log-likelihood"), ("chisq", "χ²", "pearson")])
def test_full_cells_take_the_statistic_as_scipy_computes_it(test, name, power):
    data = _data("ab", [("a", "b")], 400, 3, strength=0.1)
    p_value, given = independence_p_value(data.to_numpy(), test=test)
    table = pd.crosstab(data["a"], data["b"])
    assert given == name
    assert p_value == pytest.approx(chi2_contingency(table, correction=False, lambda_=power)[1])


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
    assert 1 / 1001 <= p_value <= 1
    assert independence_p_value(data) == (p_value, test)


def test_the_permutation_test_finds_dependence_and_keeps_its_level():
    random = np.random.default_rng(1)
    first = random.integers(0, 8, size=120)
    dependent = np.column_stack([first, (first + random.integers(0, 2, size=120)) % 8])
    p_value, test = independence_p_value(dependent)
    assert test == "permutation"
    assert p_value <= 1 / 500
    below = 0
    for seed in range(300):
        strata = random.integers(0, 4, size=100)
        data = np.column_stack(
            [(random.integers(0, 4, 100) + strata) % 6, (random.integers(0, 4, 100) + strata) % 6, strata]
        )
        p_value, test = independence_p_value(data, seed=seed)  # dependent, but not within the strata
        assert test == "permutation"
        below += p_value <= 0.05
    assert 4 <= below <= 29  # binomial(300, .05): each side has a probability of about .1 %


@pytest.mark.parametrize(
    "data",
    [
        np.column_stack([np.zeros(100, int), np.arange(100) % 2]),  # a constant column
        np.column_stack([np.arange(100) % 2, np.arange(100) // 50, np.arange(100)]),  # strata of one row
        np.column_stack([np.arange(100) % 2, np.arange(100) % 3, np.arange(100) % 2]),  # nothing varies within strata
        np.array([[0, 1]]),  # one row
        np.empty((0, 3), int),
    ],
    ids=["constant", "strata of one", "settled by the strata", "one row", "no row"],
)
def test_where_nothing_varies_no_data_could_speak_against_independence(data):
    assert independence_p_value(data) == (1.0, "no variation")
