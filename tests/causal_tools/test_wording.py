"""An explanation may invent nothing, leave nothing out, and must speak of causes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.contract import CausalQuery, CausalResult, EffectResult
from causal_tools.wording import check_wording, is_hopeless, numbers_in


def _result(summary: str, **query) -> CausalResult:
    fields = {"task": "ATE", "dataset": "lung.csv", "treatment": "smoker", "response": "fev1", **query}
    return EffectResult(
        task="ATE",
        query=CausalQuery.model_validate(fields),
        method="LinearDML (EconML)",
        estimate=-0.25,
        n_rows=1200,
        contrast=(0, 1),
        summary=summary,
    )


RESULT = _result(
    "By average treatment effect on 1,200 rows of lung.csv, using LinearDML (EconML), "
    "setting smoker to 1 instead of 0 lowers fev1 by 0.25."
)
GOOD = "LinearDML on the 1200 rows of lung.csv: setting smoker from 0 to 1 lowers fev1 by 0.25."


def test_a_faithful_explanation_passes():
    check = check_wording(GOOD, RESULT)
    assert check.passed, check


def test_the_summary_itself_passes():
    assert check_wording(RESULT.summary, RESULT).passed


@pytest.mark.parametrize(
    ("text", "invented", "missing"),
    [
        (GOOD.replace("0.25", "0.26"), ["the number 0.26"], ["the number 0.25"]),
        (GOOD.replace("0.25", "-0.25"), ["the number -0.25"], ["the number 0.25"]),
        (GOOD + " That is 25 % more.", ["the number 25%"], []),
        (GOOD.replace("0.25", "0.25%"), ["the number 0.25%"], ["the number 0.25"]),
        (GOOD + " Twice as much.", ["the number 'twice'"], []),
        (GOOD + " So does lung_size in air.csv.", ["the name 'air.csv'", "the name 'lung_size'"], []),
        (GOOD + " PC agrees.", ["the method 'pc'"], []),
        (GOOD + " It increases.", ["the direction 'increases'"], []),
        (GOOD + " Given age.", ["the column 'age'"], []),
        (GOOD.replace("1200 rows", "rows"), [], ["the number 1200"]),
        (GOOD.replace("lowers", "is correlated with lower"), ["the wording 'correlated'"], []),
        (GOOD + " An Association.", ["the wording 'Association'"], []),
        (GOOD.replace("smoker", "smoking"), [], ["the name 'smoker'"]),
        (GOOD.replace("fev1", "fev12"), [], ["the name 'fev1'"]),
        (GOOD.replace("lung.csv", "the data"), [], ["the name 'lung.csv'"]),
        (GOOD.replace("LinearDML on the", "On the"), [], ["the method 'LinearDML'"]),
    ],
)
def test_each_fault_is_named(text, invented, missing):
    check = check_wording(text, RESULT, ["smoker", "fev1", "age"])
    assert not check.passed
    assert (check.invented, check.missing) == (invented, missing)


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_a_growing_text_is_hopeless_once_it_has_invented_something(separator):
    result = _result(RESULT.summary.replace("by 0.25", "by 0.25 in 95 % of cases"))
    text = f"{GOOD} In 95 % of{separator}cases, and 7 more rows"
    hopeless = [is_hopeless(text[:length], result) for length in range(len(text) + 1)]
    first = hopeless.index(True)
    assert text[:first].endswith("and 7 more ")
    assert all(hopeless[first:])


def test_an_empty_explanation_leaves_everything_out():
    check = check_wording("", RESULT)
    assert check.invented == []
    assert len(check.missing) == 4 + 3 + 1  # the numbers 1200, 1, 0 and 0.25; three names; the method


def test_a_column_named_after_association_may_be_named():
    result = _result("LinearDML: association_score raises fev1 by 2 in lung.csv.", treatment="association_score")
    assert check_wording("By LinearDML, association_score raises fev1 by 2 in lung.csv.", result).passed
    assert not check_wording("By LinearDML, association_score is associated with fev1 by 2, lung.csv.", result).passed


def test_numbers_inside_names_are_no_facts():
    result = _result(
        "LinearDML: x raises bp_2020 by 3 in 2019.csv.", treatment="x", response="bp_2020", dataset="2019.csv"
    )
    assert check_wording("By LinearDML, x raises bp_2020 by 3 in 2019.csv.", result).passed
    assert check_wording("By LinearDML, x raises bp_2020 by 3 in 2019.csv, since 2020.", result).invented == [
        "the number 2020"
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 5.", {"5"}),
        ("1,234.5 and −3", {"1234.5", "-3"}),
        ("a 95% or 95 % interval, 95 percent", {"95%"}),
        ("95 of 5 percentages", {"95", "5"}),
        ("2.5e-05 against 1E5", {"2.5e-05", "1e5"}),
        ("x2 and v1.5 are names", set()),
        ("from 1 to 2, 3", {"1", "2", "3"}),
        ("", set()),
    ],
)
def test_numbers_are_found_in_one_spelling(text, numbers):
    assert numbers_in(text) == numbers


@given(st.lists(st.decimals(-10000, 10000, places=2, allow_nan=False), max_size=5))
def test_thousands_separators_do_not_matter(values):
    assert numbers_in(" and ".join(f"{v:,}" for v in values)) == {f"{v}" for v in values}
