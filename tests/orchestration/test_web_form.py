"""The reading as a form: every query comes back from its form, and a form says what it shows and nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causal_tools.contract import ALLOWED, CausalQuery, Condition, Task
from causal_tools.data import read_table
from causal_tools.errors import CausalToolsError, ColumnNotFound, QueryError
from lm.errors import RegistryDown
from orchestration.language_model import assistant_is_there
from orchestration.web_examples import example_questions
from orchestration.web_form import Form, form_of, query_of, split_conditions
from orchestration.web_model import SharedModel
from orchestration.web_steps import Session, Trouble, current, in_words, open_file, read, treatment_levels
from orchestration.web_words import about_diagnostics, about_table, table, text, trouble

COLUMNS = ["age", "age group", "drug", "pain", "salt and pepper", "pepper", "region", "in"]
LEVELS: dict[str, list[Any]] = {
    "drug": [0, 1],
    "region": ["north", "south and west", "007", "1.50"],
    "age group": ["20-40", "40-60"],
}
VALUES = {
    name: st.sampled_from(LEVELS[name]) if name in LEVELS else st.integers(-99, 99) | st.just(2.5) for name in COLUMNS
}


@st.composite
def conditions(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> Condition:
    column = draw(st.sampled_from(COLUMNS))
    operator = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in"]))
    value = tuple(draw(st.lists(values[column], min_size=1, max_size=3))) if operator == "in" else draw(values[column])
    return Condition(column=column, operator=operator, value=value)


@st.composite
def queries(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> CausalQuery:
    task = draw(st.sampled_from(get_args(Task)))
    names = draw(st.permutations(COLUMNS))
    content: dict[str, Any] = {"task": task, "dataset": "trial.csv", "treatment": names[0], "response": names[1]}
    if task == "CGL":
        return CausalQuery.model_validate(
            {"task": task, "dataset": "trial.csv", "nodes": draw(st.sampled_from([names[:3], None]))}
        )
    if task == "MA":
        content["mediator"] = names[2]
    if task == "OPO" and draw(st.booleans()):
        content["second_treatment"] = names[2]
    if task == "OPO":
        content["lower_is_better"] = draw(st.booleans())
    if "conditions" in ALLOWED[task]:
        content["conditions"] = draw(st.lists(conditions(values), min_size=task == "HTE", max_size=3))
    if draw(st.booleans()):
        content["covariates"] = names[3 : draw(st.integers(3, 5))]
    if "contrast" in ALLOWED[task] and draw(st.booleans()):
        pair = draw(st.lists(values[names[0]], min_size=2, max_size=2, unique=True))
        content["contrast"] = tuple(pair)
    return CausalQuery.model_validate(content)


@given(query=queries(VALUES))
def test_a_query_comes_back_from_a_form_that_a_person_could_have_filled(query: CausalQuery) -> None:
    assert query_of(form_of(query), COLUMNS, LEVELS, "trial.csv") == query


ODD = st.text("ab=,{}7 .\n", min_size=1, max_size=6) | st.sampled_from(["x and age = 3", "", " "])
ANYTHING: dict[str, st.SearchStrategy[Any]] = {name: ODD | st.floats(allow_nan=False) for name in COLUMNS}


@given(query=queries(ANYTHING))
def test_a_reading_that_nobody_changed_comes_back_whatever_it_holds(query: CausalQuery) -> None:
    form = form_of(query)
    assert query_of(form, COLUMNS, {}, "trial.csv", read=query) == query


TEXTS = st.text("ab,{}()'\"= <7.\n", max_size=8) | st.sampled_from(["x and age = 3", "x and age in y", "a\nage = 3"])


@given(query=queries({name: TEXTS | st.integers() for name in COLUMNS}))
def test_conditions_come_back_from_their_text_whatever_their_values_hold(query: CausalQuery) -> None:
    text = form_of(query).conditions
    form = replace(form_of(query), conditions=f" {text} ")  # changed, so that it is read
    form = replace(form, from_level="", to_level="")
    assert query_of(form, COLUMNS, {}).conditions == query.conditions


def test_a_changed_text_is_read_anew() -> None:
    read = CausalQuery.model_validate(
        {"task": "ATE", "treatment": "region", "response": "pain", "contrast": ("007", "north")}
    )
    form = Form("ATE", "region", response="pain", from_level="007", to_level="1.50")
    assert query_of(form, COLUMNS, LEVELS, read=read).contrast == ("007", "1.50")


def test_fields_that_are_not_shown_say_nothing() -> None:
    full = Form("ATE", "drug", "region", "pain", "age", ("age", "pain"), "age > 3", False, ("age",), "0", "1")
    assert query_of(full, COLUMNS, LEVELS) == CausalQuery(
        task="ATE", treatment="drug", response="pain", contrast=(0, 1)
    )
    assert full.shown == {"task", "treatment", "response", "own_covariates", "from_level", "to_level"}
    assert query_of(Form("CGL"), COLUMNS, LEVELS).nodes == "all"


def test_chosen_covariates_may_be_none_at_all() -> None:
    assert query_of(Form("ATE", "drug", response="pain"), COLUMNS, LEVELS).covariates is None
    assert query_of(Form("ATE", "drug", response="pain", own_covariates=True), COLUMNS, LEVELS).covariates == ()


@pytest.mark.parametrize(
    ("given_text", "parts"),
    [
        ("age >= 50 and region = north", ["age >= 50", "region = north"]),
        ("age >= 50\nregion = north\n", ["age >= 50", "region = north"]),
        ("salt and pepper > 3 AND pepper < 2", ["salt and pepper > 3", "pepper < 2"]),
        ("region = south and west and age group = 20-40", ["region = south and west", "age group = 20-40"]),
        ("in in {1, 2} and age=3", ["in in {1, 2}", "age=3"]),
        ("age > 3 and Region = north", ["age > 3", "Region = north"]),
        ("Salt and Pepper > 3 and regoin = north", ["Salt and Pepper > 3", "regoin = north"]),
        ("region = 'x and age = 3' and age == 3", ["region = 'x and age = 3'", "age == 3"]),
        ('region in {"x\\ny", "and age = 3"}\nage = 3', ['region in {"x\\ny", "and age = 3"}', "age = 3"]),
        ("region = rock and roll and age = 3", ["region = rock and roll", "age = 3"]),
        ("   ", []),
    ],
)
def test_conditions_are_split_where_a_new_one_starts(given_text: str, parts: list[str]) -> None:
    assert split_conditions(given_text, COLUMNS) == parts


@pytest.mark.parametrize(
    ("form", "kind", "said"),
    [
        (Form("ATE", "drug"), QueryError, "needs response"),
        (Form("", "drug"), QueryError, "no task is chosen"),
        (Form("ATE", "drug", response="drug"), QueryError, "two roles"),
        (Form("ATE", "drug", response="pain", from_level="0"), QueryError, "takes two levels"),
        (Form("HTE", "drug", response="pain", conditions="weight > 3"), QueryError, "no column 'weight'"),
        (Form("HTE", "drug", response="pain", conditions="age > 3 and city = north"), ColumnNotFound, "'city'"),
        (Form("HTE", "drug", response="pain"), QueryError, "needs conditions"),
    ],
)
def test_a_form_that_says_no_query_is_refused(form: Form, kind: type[CausalToolsError], said: str) -> None:
    with pytest.raises(kind, match=said):
        query_of(form, COLUMNS, LEVELS)


def test_a_fault_that_nobody_foresaw_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Trouble, match=r"sorry.*ZeroDivisionError"), in_words():
        raise ZeroDivisionError("by zero")
    assert "by zero" in caplog.text
    with pytest.raises(Trouble, match=r"^as it is$"), in_words():
        raise QueryError("as it is")


def test_texts_of_a_file_are_shown_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("<script>a</script>,${b},{{c}}\n" + "".join(f"<b>{row}</b>,{row},{row % 3}\n" for row in range(40)))
    shown = about_table(read_table(path))
    assert "<script>" not in shown and "<b>" not in shown
    assert "${" not in shown and "{{" not in shown
    assert text("${b}`") == "&#36;&#123;b&#125;&#96;"


def test_diagnostics_that_are_records_become_tables() -> None:
    shown = about_diagnostics(
        {"rows_trimmed": 3, "range": [0.1, 0.9], "balance": [{"covariate": "age", "before": 0.5}]}
    )
    assert table(["diagnostic", "value"], [("rows trimmed", 3), ("range", [0.1, 0.9])]) in shown
    assert "0.1 to 0.9" in shown
    assert f"<h3>balance</h3>{table(['covariate', 'before'], [('age', 0.5)])}" in shown


def test_values_keep_the_type_of_their_column(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("ward,dose,y\n" + "".join(f"w{row % 40:03d},{row % 3},{row * 0.5}\n" for row in range(200)))
    session = open_file(str(path))
    assert len(session.levels["ward"]) == 40  # more than the model is offered, all that a person may write
    assert treatment_levels(session, "dose") == ["0", "1", "2"]
    assert treatment_levels(session, "y") == [] == treatment_levels(Session(), "dose")


def test_large_amounts_are_offered_as_they_stand_and_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "doses.csv"
    path.write_text("dose,y\n" + "".join(f"{dose},{i}\n" for i, dose in enumerate([0, 1000000, 1234567] * 20)))
    session = open_file(str(path))
    assert treatment_levels(session, "dose") == ["0", "1000000", "1234567"]
    form = Form(task="ATE", treatment="dose", response="y", from_level="0", to_level="1234567")
    assert query_of(form, session.columns, session.levels).contrast == (0, 1234567)


def test_columns_that_hold_lists_are_shown_as_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "nested.parquet"
    pd.DataFrame({"t": [0, 1] * 20, "y": range(40), "tags": [["a", "b"]] * 40}).to_parquet(path)
    session = open_file(str(path))
    assert session.table is not None
    assert "unsupported" in about_table(session.table)


def test_the_model_is_loaded_once_for_all() -> None:
    loads: list[object] = []

    def load() -> tuple[object, None]:
        time.sleep(0.05)
        loads.append(object())
        return loads[-1], None

    model = SharedModel(load, "one")
    assert not model.is_loaded
    with ThreadPoolExecutor(4) as people:
        assert len(set(people.map(lambda _: id(model.lm), range(8)))) == 1
    assert len(loads) == 1 and model.is_loaded


def test_what_stands_in_for_a_registry_that_was_down_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    models = iter([("stand-in", "the registry is down"), ("champion", None)])
    there: list[bool] = []
    model = SharedModel(lambda: next(models), "assistant", lambda: bool(there))
    model.look_again()
    assert not model.is_loaded
    assert (model.lm, model.note) == ("stand-in", "the registry is down")
    there.append(True)
    model.look_again()
    assert model.lm == "stand-in"  # asked a moment ago
    monkeypatch.setattr("orchestration.web_model.AGAIN_AFTER", 0.0)
    there.clear()
    model.look_again()
    assert model.lm == "stand-in"
    there.append(True)
    model.look_again()
    assert (model.lm, model.note) == ("champion", None)
    model.look_again()  # what was asked for is not loaded again


@pytest.mark.parametrize(("fault", "there"), [(None, True), (RegistryDown("it is down"), False)])
def test_the_assistant_is_there_once_the_registry_answers(
    fault: Exception | None, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find() -> str:
        if fault is not None:
            raise fault
        return "champion"

    monkeypatch.setattr("lm.registry.find_assistant", find)
    assert assistant_is_there() == there


def test_a_reading_looks_for_the_model_asked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trial.csv"
    path.write_text("t,y\n" + "".join(f"{row % 2},{row}\n" for row in range(40)))
    looked: list[str] = []

    class Looked(Exception):
        pass

    class Model(SharedModel):
        def look_again(self) -> None:
            looked.append("again")
            raise Looked

    with pytest.raises(Looked):
        read(open_file(str(path)), "What is the effect of t on y?", Model(lambda: (None, None), "one"))
    assert looked == ["again"]


def test_a_reading_of_an_earlier_file_is_not_current(tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    path.write_text("t,y\n" + "".join(f"{row % 2},{row}\n" for row in range(40)))
    first, second = open_file(str(path)), open_file(str(path))
    heard = replace(first, question="asked")
    assert current(first, heard) is heard
    assert current(second, heard) is second
    assert current(second, None) is second


def test_examples_speak_of_the_files_own_columns(tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    path.write_text(
        "drug,pain,age,ward\n" + "".join(f"{row % 2},{row * 0.31:.2f},{row + 0.5},w{row % 3}\n" for row in range(60))
    )
    questions = example_questions(read_table(path))
    assert questions[0] == "What is the effect of drug on pain?"
    assert "Which drug is best for pain?" in questions
    assert len(questions) == 5
    path.write_text("note,when\n" + "".join(f"long text {row},2024-01-{row + 1:02d}\n" for row in range(28)))
    assert example_questions(read_table(path)) == []


def test_trouble_begins_with_a_capital_but_a_files_name_is_left_as_it_is():
    assert ">No data" in trouble("no data file is open.")
    assert ">empty.csv is empty" in trouble("empty.csv is empty.")
