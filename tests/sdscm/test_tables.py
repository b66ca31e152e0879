"""Conditional tables: each context asked once, kept and taken over, normalised by the rule and temperature stated."""

from __future__ import annotations

import io
from itertools import product

import numpy as np
import pandas as pd
import pytest

from lm import load_language_model
from sdscm import ScenarioError, load_scenario
from sdscm.tables import ConditionalTables, all_combinations

from .laws import HashScorer, confounder, scenario, variable


def _softmax(logits) -> list[float]:
    weights = [np.exp(x) for x in logits]
    return [w / sum(weights) for w in weights]


def test_each_distinct_context_is_scored_once():
    scorer = HashScorer()
    tables = ConditionalTables(confounder(), scorer)
    tables.rows("y", np.array([[0, 0], [1, 0], [0, 0], [1, 0]]))
    assert sorted(scorer.asked) == ["Z: no. T: no. Y:", "Z: yes. T: no. Y:"]
    tables.rows("y", np.array([[1, 0], [1, 1]]))
    tables.rows("z", np.zeros((50, 0), int))
    assert len(scorer.asked) == len(set(scorer.asked)) == tables.contexts_scored == 4


def test_complete_tables_ask_for_every_combination_of_parents():
    one, scorer = load_scenario("tutoring"), HashScorer()
    tables = ConditionalTables(one, scorer)
    tables.complete()
    # income 1, motivation | income 3, tutoring | income, motivation 6, homework 2, passed | motivation, homework 4
    assert tables.contexts_scored == len(set(scorer.asked)) == 1 + 3 + 6 + 2 + 4
    tables.complete()
    assert tables.contexts_scored == 16
    with pytest.raises(ScenarioError, match="16 contexts, more than the limit of 15"):
        ConditionalTables(one, scorer).complete(limit=15)


def test_rows_are_normalised_scores_of_the_context_in_order():
    one = confounder()
    rows = ConditionalTables(one, HashScorer()).rows("y", np.array([[1, 0], [0, 1], [1, 0]]))
    for row, (z, t) in zip(rows, [(1, 0), (0, 1), (1, 0)], strict=True):
        context = one.context("y", {"z": ("no", "yes")[z], "t": ("no", "yes")[t]})
        assert np.allclose(np.exp(row), _softmax([HashScorer.logit(context, level) for level in ("no", "yes")]))


def test_temperature_divides_the_scores():
    context = confounder().context("z", {})
    logits = [HashScorer.logit(context, level) for level in ("no", "yes")]
    (row,) = ConditionalTables(confounder(), HashScorer(), temperature=2.5).rows("z", np.zeros((1, 0), int))
    assert np.allclose(np.exp(row), _softmax([x / 2.5 for x in logits]))


def test_pmi_subtracts_the_score_after_the_intro_and_the_stem_alone():
    one = scenario(variable("a"), variable("b", ("a",)), intro=" A note. ")
    (row,) = ConditionalTables(one, HashScorer(), "pmi").rows("b", np.array([[1]]))
    logits = [
        HashScorer.logit("A note. A: yes. B:", level) - HashScorer.logit("A note. B:", level) for level in ("no", "yes")
    ]
    assert np.allclose(np.exp(row), _softmax(logits))


def test_pmi_of_a_variable_without_parents_is_uniform():
    (row,) = ConditionalTables(confounder(), HashScorer(), "pmi").rows("z", np.zeros((1, 0), int))
    assert np.allclose(np.exp(row), 0.5)


def test_tables_taken_over_by_another_model_are_not_asked_again():
    one = load_scenario("tutoring")
    first = ConditionalTables(one, HashScorer())
    first.complete()
    file = io.BytesIO()
    first.frame().to_parquet(file)
    scorer = HashScorer()
    second = ConditionalTables(one, scorer)
    second.adopt(pd.read_parquet(file))
    second.complete()
    assert scorer.asked == []
    assert second.contexts_scored == 0
    for v in one.variables:
        parents = all_combinations([len(one[p].levels) for p in v.parents])
        assert (second.rows(v.name, parents) == first.rows(v.name, parents)).all()


def test_the_frame_has_a_line_a_context_and_level_whose_probabilities_sum_to_one():
    tables = ConditionalTables(confounder(), HashScorer())
    tables.complete()
    frame = tables.frame()
    assert len(frame) == 2 * (1 + 2 + 4)
    assert np.allclose(frame.groupby(["variable", "context"])["probability"].sum(), 1)
    assert np.allclose(np.exp(frame["log_prob"]), frame["probability"])


@pytest.mark.parametrize(
    "row",
    [[np.nan, 0.0], [np.nan, np.nan], [-np.inf, -np.inf], [np.inf, 0.0]],
    ids=["one NaN", "all NaN", "no mass", "infinite mass"],
)
def test_scores_that_are_no_law_are_refused(row):
    class Broken:
        def score(self, contexts, levels, rule="sum", *, baseline=""):
            return [np.array(row) for _ in contexts]

    with pytest.raises(ScenarioError, match="no usable probability to any level of 'z'"):
        ConditionalTables(confounder(), Broken()).rows("z", np.zeros((1, 0), int))


def test_one_impossible_level_is_allowed():
    class Half:
        def score(self, contexts, levels, rule="sum", *, baseline=""):
            return [np.array([-np.inf, -3.0]) for _ in contexts]

    (row,) = ConditionalTables(confounder(), Half()).rows("z", np.zeros((1, 0), int))
    assert np.exp(row).tolist() == [0.0, 1.0]


def test_combinations_are_all_of_them_the_last_varying_fastest():
    assert all_combinations([2, 3]).tolist() == [list(pair) for pair in product(range(2), range(3))]
    assert all_combinations([]).shape == (1, 0)


def test_a_language_model_gives_the_chain_rule_law():
    from ..lm.oracle import log_prob

    one, tiny = load_scenario("toy_confounder"), load_language_model("tiny", device="cpu")
    rows = ConditionalTables(one, tiny).rows("marathon", np.array([[0, 0], [2, 1]]))
    for row, (motivation, gym) in zip(rows, [("low", "no"), ("high", "yes")], strict=True):
        context = one.context("marathon", {"motivation": motivation, "gym": gym})
        expected = _softmax([log_prob(tiny, context, f" {level}") for level in ("no", "yes")])
        assert np.allclose(np.exp(row), expected, atol=1e-4)
