"""Matches by field, and intervals that resample topics; every expected value worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import FIELDS, cluster_interval, field_matches, score_table, soft_matches

ATE = {"task": "ATE", "treatment": "smoker", "response": "fev1", "mediator": None, "nodes": None, "conditions": []}


def _wrong(matches: dict[str, bool]) -> set[str]:
    return {name for name, right in matches.items() if not right}


def test_a_reading_matches_itself_whatever_its_data_set():
    assert _wrong(field_matches({**ATE, "dataset": "a.csv"}, {**ATE, "dataset": None})) == set()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"task": "OPO"}, {"task", "all"}),
        ({"treatment": "Smoker"}, {"treatment", "all"}),
        ({"treatment": "fev1", "response": "smoker"}, {"treatment", "response", "all"}),
        ({"mediator": "age"}, {"mediator", "all"}),
        ({"conditions": [{"column": "age", "operator": ">", "value": 5}]}, {"conditions", "all"}),
        ({"conditions": ()}, set()),
        ({"conditions": None}, set()),
        ({"conditions": np.array([])}, set()),
    ],
)
def test_a_field_that_differs_is_wrong_and_no_other(change, wrong):
    assert _wrong(field_matches({**ATE, **change}, ATE)) == wrong


def test_order_matters_in_neither_nodes_nor_conditions():
    one = {"column": "a", "operator": ">", "value": 1}
    two = {"column": "b", "operator": "in", "value": ["x", "y"]}
    turned = [{"value": ("y", "x"), "operator": "in", "column": "b"}, {"value": 1.0, "operator": ">", "column": "a"}]
    assert field_matches({"task": "HTE", "conditions": [one, two]}, {"task": "HTE", "conditions": turned})["all"]
    assert field_matches({"task": "CGL", "nodes": ["a", "b"]}, {"task": "CGL", "nodes": ("b", "a")})["all"]
    assert not field_matches({"task": "CGL", "nodes": ["a", "b"]}, {"task": "CGL", "nodes": ["a", "b", "c"]})["nodes"]


def test_lists_as_parquet_gives_them_match():
    assert field_matches({"task": "CGL", "nodes": np.array(["b", "a"])}, {"task": "CGL", "nodes": ["a", "b"]})["all"]
    assert field_matches({"task": "CGL", "nodes": np.array(["a"])}, {"task": "CGL", "nodes": ["a"]})["all"]


def test_an_operator_or_value_that_differs_is_wrong():
    def with_condition(operator, value):
        return {**ATE, "task": "HTE", "conditions": [{"column": "age", "operator": operator, "value": value}]}

    assert not field_matches(with_condition(">", 5), with_condition(">=", 5))["conditions"]
    assert not soft_matches(with_condition(">", 5), with_condition(">=", 5))["conditions"]
    assert not field_matches(with_condition(">", 5), with_condition(">", "5"))["conditions"]
    assert soft_matches(with_condition(">", 5), with_condition(">", "5.0"))["conditions"]
    assert not soft_matches(with_condition(">", 5), with_condition(">", 6))["conditions"]


def test_not_causal_matches_not_causal_alone():
    assert field_matches(None, None)["all"]
    assert _wrong(field_matches(None, ATE)) == {"task", "treatment", "response", "all"}
    assert _wrong(field_matches({"task": "UNREADABLE"}, None)) == {"task", "all"}


@pytest.mark.parametrize(
    ("said", "gold", "soft"),
    [
        ("Birth_Weight", "birth weight", True),
        ("birth-weight", "BirthWeight", True),
        ("birth weight", "birth length", False),
        ("1.0", 1, True),
        (">=", "<=", False),
        ("naïve", "NAÏVE", True),
        ("nan", "nan", True),
        ("NaN", "nan", True),
        ("inf", "Inf", True),
        ("", "", True),
    ],
)
def test_a_soft_match_forgives_case_separators_and_number_format(said, gold, soft):
    assert soft_matches({**ATE, "treatment": said}, {**ATE, "treatment": gold})["all"] is soft


@given(st.dictionaries(st.sampled_from(["treatment", "response", "mediator"]), st.text(max_size=6)))
def test_every_exact_match_is_a_soft_match(fields):
    reading = {"task": "ATE", **fields}
    assert all(field_matches(reading, dict(reading)).values())
    assert all(soft_matches(reading, dict(reading)).values())


def test_the_score_table_counts_each_field():
    other = {**ATE, "treatment": "Smoker"}
    frame = pd.DataFrame(
        {
            "topic": ["a", "a", "b", "c"],
            "query": [ATE, ATE, None, ATE],
            "good": [ATE, other, None, None],
            "none": [None, None, None, None],
        }
    )
    table = score_table(frame, ["good", "none"]).set_index(["system", "field"])
    assert set(table.index.get_level_values("field")) == {*FIELDS, "all", "all, soft"}
    assert table.loc[("good", "all"), ["right", "questions", "share"]].tolist() == [2, 4, 0.5]
    assert table.loc[("good", "all, soft"), "right"] == 3
    assert table.loc[("good", "treatment"), "right"] == 2
    assert table.loc[("good", "task"), "right"] == 3
    assert table.loc[("none", "all"), "right"] == 1
    assert table.loc[("none", "mediator"), "share"] == 1
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


def test_a_score_table_does_not_depend_on_row_labels():
    frame = pd.DataFrame({"topic": ["a", "b"], "query": [ATE, ATE], "s": [ATE, None]}, index=[7, 3])
    assert score_table(frame, ["s"]).equals(score_table(frame.reset_index(drop=True), ["s"]))


def test_the_interval_of_one_value_a_cluster_is_that_of_its_bootstrap_law():
    """Two clusters, one right and one wrong: the mean is 0, ½ or 1 with probabilities ¼, ½, ¼."""
    assert cluster_interval(np.array([0.0, 1.0]), np.array(["a", "b"])) == (0.0, 1.0)
    assert cluster_interval(np.array([0.0, 1.0]), np.array(["a", "b"]), level=0.4) == (0.5, 0.5)


def test_clusters_that_all_have_the_same_share_say_nothing_and_items_are_counted():
    from scipy.stats import binomtest

    exact = binomtest(2, 12).proportion_ci(0.95)
    found = cluster_interval(np.array([1.0, *[0.0] * 5] * 2), np.repeat(["a", "b"], 6))
    assert found == pytest.approx((exact.low, exact.high))


def test_questions_of_one_topic_do_not_count_as_independent():
    values, topics = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0], 40), np.repeat(list("abcde"), 40)
    low, high = cluster_interval(values, topics)
    assert high - low > 0.6  # as five observations give it; two hundred would give .14


@pytest.mark.parametrize(("value", "expected"), [(1.0, (0.025 ** (1 / 5), 1.0)), (0.0, (0.0, 1 - 0.025 ** (1 / 5)))])
def test_all_right_or_all_wrong_gets_the_exact_binomial_bound(value, expected):
    from scipy.stats import binomtest

    found = cluster_interval(np.full(10, value), np.repeat(list("abcde"), 2))
    assert found == pytest.approx(expected)
    exact = binomtest(int(5 * value), 5).proportion_ci(0.95, "exact")
    assert found == pytest.approx((exact.low, exact.high))
