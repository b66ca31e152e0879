"""A reading that a person corrects: fields set anew, YAML there and back."""

from __future__ import annotations

import pytest

from causal_tools import CausalQuery, Condition
from causal_tools.editing import Changes, changed, query_text, read_query_text
from causal_tools.errors import QueryError

COLUMNS = ["age", "age group", "drug", "pain", "sleep", "region"]
LEVELS = {"drug": [0, 1], "region": ["north", "south", "7"], "age group": ["20-40", "40-60"]}
READ = CausalQuery(task="ATE", dataset="trial.csv", treatment="drug", response="pain")


def test_fields_are_set_and_the_rest_stays():
    found = changed(READ, Changes(response="sleep", covariates=("age",), contrast=("1", "0")), COLUMNS, LEVELS)
    assert (found.treatment, found.response, found.covariates) == ("drug", "sleep", ("age",))
    assert found.contrast == (1, 0)  # as the column has them
    assert found.dataset == "trial.csv"
    assert changed(READ, Changes(), COLUMNS) == READ


def test_another_task_drops_what_it_does_not_take():
    read = CausalQuery(task="MA", treatment="drug", response="pain", mediator="sleep", covariates=("age",))
    found = changed(read, Changes(task="HTE", conditions=("age > 60",)), COLUMNS)
    assert found.mediator is None
    assert found.conditions == (Condition(column="age", operator=">", value=60),)
    assert found.covariates == ("age",)
    graph = changed(read, Changes(task="CGL", nodes=("all",)), COLUMNS)
    assert (graph.nodes, graph.treatment) == ("all", None)


def test_a_field_that_the_new_task_does_not_take_is_refused_where_it_was_asked_for():
    with pytest.raises(QueryError, match="takes no mediator"):
        changed(READ, Changes(task="ATE", mediator="sleep"), COLUMNS)


def test_a_second_treatment_is_set_and_goes_with_its_task():
    read = CausalQuery(task="OPO", treatment="drug", response="pain")
    found = changed(read, Changes(second_treatment="sleep"), COLUMNS)
    assert found.second_treatment == "sleep"
    assert changed(found, Changes(task="ATE"), COLUMNS).second_treatment is None
    with pytest.raises(QueryError, match="takes no second_treatment"):
        changed(READ, Changes(second_treatment="sleep"), COLUMNS)


def test_what_is_better_is_set_and_told_where_it_matters():
    read = CausalQuery(task="OPO", treatment="drug", response="pain")
    assert changed(read, Changes(lower_is_better=True), COLUMNS).lower_is_better
    assert not changed(
        read.model_copy(update={"lower_is_better": True}), Changes(lower_is_better=False), COLUMNS
    ).lower_is_better
    assert "lower_is_better: false" in query_text(read)
    assert "lower_is_better" not in query_text(READ)
    with pytest.raises(QueryError, match="takes no lower_is_better"):
        changed(READ, Changes(lower_is_better=True), COLUMNS)


def test_changes_are_a_query_where_nothing_is_missing():
    assert not Changes(task="ATE", treatment="drug").are_a_query()
    assert Changes(task="ATE", treatment="drug", response="pain").are_a_query()
    assert Changes(task="CGL").are_a_query()
    assert not Changes(treatment="drug", response="pain").are_a_query()
    assert not Changes().any()


@pytest.mark.parametrize(
    "query",
    [
        READ,
        CausalQuery(task="CGL", nodes=("age", "pain")),
        CausalQuery(task="CGL"),
        CausalQuery(
            task="HTE",
            treatment="drug",
            response="pain",
            conditions=(
                Condition(column="age", operator=">=", value=60),
                Condition(column="region", operator="in", value=("north", "7")),
            ),
            covariates=("age",),
            contrast=(1, 0),
        ),
        CausalQuery(task="MA", treatment="drug", response="pain", mediator="sleep"),
        CausalQuery(task="OPO", treatment="drug", second_treatment="sleep", response="pain"),
        CausalQuery(task="OPO", treatment="drug", response="pain", lower_is_better=True),
    ],
)
def test_a_query_comes_back_from_its_text(query):
    found = read_query_text(query_text(query), COLUMNS, LEVELS)
    assert found == query.model_copy(update={"dataset": None})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: [", "no YAML"),
        ("just words", "must be lines"),
        ("task: ATE\noutcome: pain", "unknown field 'outcome'"),
        ("task: ATE\ntreatment: drug", "needs response"),
        ("task: HTE\ntreatment: drug\nresponse: pain\nconditions: [weight > 3]", "no column 'weight'"),
        ("", "must be lines"),
    ],
)
def test_an_edited_reading_that_says_no_query_is_refused(text, said):
    with pytest.raises(QueryError, match=said):
        read_query_text(text, COLUMNS)


def test_adjusting_for_nothing_survives_editing():
    query = CausalQuery(task="ATE", treatment="t", response="y", covariates=())
    assert read_query_text(query_text(query), ["t", "y", "x"]).covariates == ()
    open_query = CausalQuery(task="ATE", treatment="t", response="y")
    assert read_query_text(query_text(open_query), ["t", "y", "x"]).covariates is None


def test_yes_and_no_are_levels_and_names_as_the_file_has_them():
    text = "task: ATE\ntreatment: on\nresponse: y\ncontrast: [no, yes]"
    query = read_query_text(text, ["on", "y"], {"on": ["no", "yes"]})
    assert (query.treatment, query.contrast) == ("on", ("no", "yes"))
    text = "task: OPO\ntreatment: on\nresponse: y\nlower_is_better: true"
    assert read_query_text(text, ["on", "y"]).lower_is_better is True


def test_levels_with_commas_and_brackets_survive_editing():
    query = CausalQuery(
        task="HTE",
        treatment="drug",
        response="pain",
        conditions=(
            Condition(column="region", value="Paris, France"),
            Condition(column="age group", operator="in", value=("A [young]", "{old}, (frail)", "7")),
        ),
    )
    levels = {"region": ["Paris, France", "Rome"], "age group": ["A [young]", "{old}, (frail)", "7"]}
    for known in (levels, {}):
        assert read_query_text(query_text(query), COLUMNS, known) == query
