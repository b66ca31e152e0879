"""Conditions as a person writes them: read with the types that the column has, and read back as they are written."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from causal_tools import CausalQuery, Condition
from causal_tools.condition_text import condition_text, read_condition, typed, without_quoted
from causal_tools.editing import query_text, read_query_text
from causal_tools.errors import QueryError

COLUMNS = ["age", "age group", "drug", "pain", "sleep", "region"]
LEVELS = {"drug": [0, 1], "region": ["north", "south", "7"], "age group": ["20-40", "40-60"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age >= 50", ("age", ">=", 50)),
        ("age<2.5", ("age", "<", 2.5)),
        ("age group = 20-40", ("age group", "=", "20-40")),
        ("region in {north, 7}", ("region", "in", ("north", "7"))),
        ("region != south", ("region", "!=", "south")),
        ("  drug = 1 ", ("drug", "=", 1)),
    ],
)
def test_conditions_are_read_with_the_types_that_the_column_has(text, expected):
    found = read_condition(text, COLUMNS, LEVELS)
    assert (found.column, found.operator, found.value) == expected


@pytest.mark.parametrize("text", ["nothing = 1", "age about 3", "age = 1, 2", "age", "", "= 3"])
def test_a_condition_that_says_no_comparison_is_refused(text):
    with pytest.raises(QueryError, match="condition"):
        read_condition(text, COLUMNS)


@example(column="region", operator="=", value=7)
@given(
    column=st.sampled_from(COLUMNS),
    operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    value=st.one_of(
        st.integers(-999, 999), st.floats(-99, 99).map(lambda x: round(x, 3)), st.sampled_from(["north", "20-40"])
    ),
)
def test_a_condition_is_read_back_as_it_is_written(column, operator, value):
    condition = Condition(column=column, operator=operator, value=value)
    found = read_condition(str(condition), COLUMNS, LEVELS)
    as_the_column_has_it = "7" if (column, str(value)) == ("region", "7") else value
    assert (found.column, found.operator, found.value) == (column, operator, as_the_column_has_it)


PLACES = ["Paris", "Paris, France", "Drug (oral)", "(oral) Drug (x)", "A [young]", "1,000", "O'Brien", "'tis", "{a, b}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("place = Drug (oral)", "Drug (oral)"),
        ("place = (oral) Drug (x)", "(oral) Drug (x)"),
        ("place = A [young]", "A [young]"),
        ("place = Paris, France", "Paris, France"),
        ('place = "Paris, France"', "Paris, France"),
        ("place = 'Paris, France'", "Paris, France"),
        ("place = 1,000", "1,000"),
        ("place = O'Brien", "O'Brien"),
        ("place = 'tis", "'tis"),
        ("place = {a, b}", "{a, b}"),
        ("place in {Paris, France, A [young]}", ("Paris, France", "A [young]")),
        ("place in Paris, France, 'tis", ("Paris, France", "'tis")),
        ('place in ("Paris, France", Paris)', ("Paris, France", "Paris")),
        ("place in (oral) Drug (x), Drug (oral)", ("(oral) Drug (x)", "Drug (oral)")),
        ("place in [1,000, O'Brien]", ("1,000", "O'Brien")),
        ("place in {Paris}", ("Paris",)),
    ],
)
def test_levels_with_brackets_commas_and_quotes_are_read(text, expected):
    assert read_condition(text, ["place"], {"place": PLACES}).value == expected


@pytest.mark.parametrize("text", ["x in {Paris, France, Rome}", "x in Paris, France, Rome"])
def test_levels_of_their_own_count_more_than_one_level_of_both(text):
    levels = ["Paris", "France", "Paris, France", "Rome"]
    assert read_condition(text, ["x"], {"x": levels}).value == ("Paris", "France", "Rome")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age = (50)", 50),
        ("age = 1,000", 1000),
        ("age >= -12,345,678.5", -12345678.5),
        ("age < .5", 0.5),
        ("age < 1e3", 1000.0),
        ("age in [1, 2.5]", (1, 2.5)),
        ("age in {100,200,300}", (100, 200, 300)),
        ("age in 1, 2,", (1, 2)),
        ('age = "50"', "50"),
        ("age = 1_000", "1_000"),
        ("age = nan", "nan"),
    ],
)
def test_numbers_are_read(text, expected):
    assert read_condition(text, COLUMNS).value == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age in {1,000, 2,500}", "such as 1000"),
        ("age in {1,500, 2,500}", "such as 1000"),
        ("age in {1,000}", "such as 1000"),
        ("age > 1,5", "such as 1000 or 0.5"),
        ("region = north, south", "'in' takes several; a value with a comma goes in quotes"),
        ("age in {}", "at least one value"),
        ("age in ", "must read"),
    ],
)
def test_a_text_that_says_no_clear_value_is_refused_with_what_would_do(text, said):
    with pytest.raises(QueryError, match=f"^condition {re.escape(repr(text))}.*{said}"):
        read_condition(text, COLUMNS)


@pytest.mark.parametrize(
    ("written", "operator"),
    [("==", "="), ("<>", "!="), ("≠", "!="), ("≥", ">="), ("≤", "<="), ("=", "="), ("<", "<"), (">", ">")],
)
def test_other_spellings_of_an_operator_will_do(written, operator):
    for text in (f"age {written} 50", f"age{written}50"):
        assert read_condition(text, COLUMNS) == Condition(column="age", operator=operator, value=50)
    assert read_condition("age IN {50}", COLUMNS).value == (50,)


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("Age = 5", "age", 5),
        ("Region = 7", "region", "7"),
        ("AGE_GROUP = 20-40", "age group", "20-40"),
        ("regions in {north, 7}", "region", ("north", "7")),
    ],
)
def test_a_column_is_found_as_it_is_for_other_fields(text, column, value):
    found = read_condition(text, COLUMNS, LEVELS)
    assert (found.column, found.value) == (column, value)


def test_the_longest_column_is_meant_in_another_case_too():
    for name in ("age in years", "Age In Years"):
        found = read_condition(f"{name} = 5", ["age", "age in years"])
        assert (found.column, found.operator, found.value) == ("age in years", "=", 5)


def test_a_misspelt_column_is_left_for_the_tool_which_tells_what_it_read():
    found = read_condition("regoin = 7", COLUMNS, LEVELS)
    assert (found.column, found.value) == ("regoin", "7")  # a text, as the region's level is


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weight = 3", "no column 'weight'"),
        ("region name = 3", "Did you mean 'region'"),
        ("Group_Of_Age not in {1}", "no column 'Group_Of_Age not'"),
    ],
)
def test_a_column_that_the_file_lacks_is_told(text, said):
    with pytest.raises(QueryError, match=said):
        read_condition(text, COLUMNS)


def test_a_name_that_may_be_two_columns_is_told():
    with pytest.raises(QueryError, match="ambiguous"):
        read_condition("SEX = f", ["sex", "Sex"])


TEXTS = st.text() | st.text("ab,{}[]()'\"=<> 7.\n", max_size=8) | st.sampled_from([*PLACES, "1,000", "x and age in z"])
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def conditions(draw, values=TEXTS | NUMBERS):
    column = draw(st.sampled_from(COLUMNS))
    operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in"]))
    value = draw(st.lists(values, min_size=1, max_size=4).map(tuple) if operator == "in" else values)
    return Condition(column=column, operator=operator, value=value)


def _same(found, condition):
    return found == condition and [type(one) for one in found.all_values] == [type(one) for one in condition.all_values]


@given(condition=conditions())
def test_any_condition_comes_back_from_its_text(condition):
    assert _same(read_condition(condition_text(condition), COLUMNS), condition)


@given(condition=conditions(), others=st.lists(TEXTS | NUMBERS, max_size=4))
def test_levels_come_back_from_their_text_among_any_others(condition, others):
    by_text = {str(level): level for level in [*others, *condition.all_values]}
    levels = {condition.column: list(by_text.values())}
    meant = tuple(by_text[str(value)] for value in condition.all_values)
    expected = condition.model_copy(update={"value": meant if condition.operator == "in" else meant[0]})
    assert _same(read_condition(condition_text(condition), COLUMNS, levels), expected)


YAML_BREAKS = "\x85\u2028\u2029"  # PyYAML reads these as line ends, whatever it has written


@given(asked=st.lists(conditions(), min_size=1, max_size=3))
def test_any_conditions_come_back_from_the_editor(asked):
    assume(not any(mark in str(value) for one in asked for value in one.all_values for mark in YAML_BREAKS))
    query = CausalQuery(task="HTE", treatment="t", response="y", conditions=asked)
    found = read_query_text(query_text(query), ["t", "y", *COLUMNS])
    assert found == query
    assert all(map(_same, found.conditions, query.conditions))


@given(level=st.text(st.characters(blacklist_categories=["Cs", "Z", "C"]) | st.just(" ")).map(str.strip).filter(bool))
def test_a_level_is_read_as_it_stands(level):
    """Whatever the level holds, typing it needs no quotes where the file has it and one value is asked for."""
    assert read_condition(f"region = {level}", COLUMNS, {"region": [level]}).value == level
    assert read_condition(f"region in {{{level}}}", COLUMNS, {"region": [level]}).value == (level,)


def test_truth_values_come_back_where_the_column_has_them():
    condition = Condition(column="drug", value=True)
    found = read_condition(condition_text(condition), COLUMNS, {"drug": [False, True]})
    assert found.value is True


def test_plain_values_are_written_without_quotes():
    condition = Condition(column="region", operator="in", value=("north", "Drug (oral)", 7, "7"))
    assert condition_text(condition) == 'region in {north, Drug (oral), 7, "7"}'


def test_what_stands_in_quotes_is_blanked():
    text = "name = O'Brien and city in {\"a, 'b'\", c} and age = 'x = 1'"
    assert without_quoted(text) == "name = O'Brien and city in {________, c} and age = _______"


def test_very_long_numbers_are_no_crash():
    assert typed("9" * 5000) == float("inf")
