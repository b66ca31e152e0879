"""An explanation with the right words in the wrong places is not shown."""

from __future__ import annotations

import pytest

from causal_tools.contract import CausalQuery, Edge, GraphResult
from causal_tools.summary import summarise
from causal_tools.wording import check_wording

from .asking import ask, where
from .simulators import confounded_binary, gaussian_collider, mediated, three_actions


@pytest.fixture(scope="module")
def results():
    words = confounded_binary(400, 1).assign(t=lambda frame: frame["t"].map({0: "no", 1: "yes"}))
    return {
        "ATE": ask(words.rename(columns={"t": "drug", "y": "pain"}), "ATE", "drug", "pain"),
        "MA": ask(mediated(400, 4), "MA", mediator="m"),
        "OPO": ask(three_actions(600, 5), "OPO", "act", "reward", conditions=where("u", 1)),
        "CGL": ask(gaussian_collider(2000, 1), "CGL", None, None),
    }


def swapped(text: str, one: str, other: str) -> str:
    assert one in text and other in text, text
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def test_the_summaries_themselves_pass(results):
    for result in results.values():
        check = check_wording(result.summary, result)
        assert check.passed, (check, result.summary)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("estimate", "upper end"),
        ("lower end", "upper end"),
        ("to yes instead of no", "to no instead of yes"),
        ("The interval excludes zero", "The interval includes zero, so no effect is not ruled out"),
        ("It was adjusted", "It was not adjusted"),
        ("", "This proves that drug causes it."),
        ("", "The effect of pain on drug is this."),
        ("", "It always helps."),
        ("", "So drug makes pain lower."),
        ("", "So drug leads to less pain."),
        ("", "Here drug was randomly assigned."),
        ("", "Nothing was controlled for."),
        ("", "This is without any adjustment."),
        ("", "That is for pain = pain."),
        ("", "It is averaged in place of no in place of no."),
        ("", "That is with adjustment for x and no other usable columns."),
        ("", "That is after adjusting for x and nothing else."),
        ("", "This is for pain = 400."),
        ("", "The method used is this. The method used was not available for the file."),
        ("", "This is where drug = Drug to yes."),
    ],
)
def test_an_effect_told_the_other_way_round_is_refused(results, one, other):
    result = results["ATE"]
    from causal_tools.summary import format_number

    names = {
        "estimate": format_number(result.estimate),
        "lower end": format_number(result.interval[0]),
        "upper end": format_number(result.interval[1]),
    }
    if one in names:
        text = swapped(result.summary, names[one], names[other])
    elif not one:
        text = f"{result.summary} {other}"
    else:
        assert one in result.summary
        text = result.summary.replace(one, other)
    assert not check_wording(text, result).passed, text


def test_direct_and_indirect_may_not_change_places(results):
    result = results["MA"]
    assert not check_wording(swapped(result.summary, "indirect effect", "direct effect, by"), result).passed


def test_another_action_may_not_be_recommended(results):
    result = results["OPO"]
    other = next(action for action in result.values if action != result.action)
    text = result.summary.replace(f"act = {result.action}", f"act = {other}")
    assert not check_wording(text, result).passed


def test_the_best_mean_may_not_become_the_worst(results):
    result = results["OPO"]
    assert not check_wording(result.summary.replace("highest mean", "lowest mean"), result).passed


def test_adjusting_for_what_was_asked_may_not_become_adjusting_for_all():
    result = ask(confounded_binary(400, 1), "ATE", covariates=("x",))
    assert "as asked" in result.summary
    assert not check_wording(f"{result.summary} That holds all other usable columns fixed.", result).passed


@pytest.mark.parametrize("said", ["drug to yes", "instead of no"])
def test_a_text_that_does_not_say_which_level_the_effect_is_of_is_refused(results, said):
    result = results["ATE"]
    level = said.rpartition(" ")[2]
    text = result.summary.replace(said, "drug" if level == "yes" else "")
    assert f"the level {level!r}" in check_wording(text, result).missing


def test_a_text_that_does_not_say_an_action_is_refused(results):
    result = results["OPO"]
    other = next(action for action in result.values if action != result.action)
    text = result.summary.replace(f"{other}: ", "")
    assert check_wording(text, result).missing == [f"the level {other!r}"]


@pytest.mark.parametrize("instead", ["in the cold", "where region is cold"])
def test_a_text_that_does_not_say_where_the_effect_is_meant_is_refused(instead):
    result = ask(confounded_binary(600, 1), "HTE", conditions=where("region", "north"), covariates=("x",))
    assert check_wording(result.summary, result).passed
    missing = check_wording(result.summary.replace("where region = north", instead), result).missing
    assert missing and all(one.startswith("the condition") for one in missing)


def test_an_arrow_may_not_be_turned(results):
    result = results["CGL"]
    edge = next(edge for edge in result.edges if edge.mark == "-->")
    for turned in (f"{edge.target} --> {edge.source}", f"{edge.target} causes {edge.source}"):
        assert not check_wording(result.summary.replace(str(edge), turned), result).passed


def test_each_arrow_is_drawn_once_and_between_its_own_columns(results):
    result = results["CGL"]
    one, other = [edge for edge in result.edges if edge.mark == "-->"][:2]
    for text in (
        result.summary.replace(str(one), f"{one.target} --> {one.target}"),
        result.summary.replace(str(one), str(other)),
    ):
        assert text != result.summary
        assert not check_wording(text, result).passed, text


def test_an_arrow_may_not_carry_the_weight_of_another():
    edges = (("rain", "soil", 0.5), ("soil", "crop", 0.25))
    result = GraphResult(
        query=CausalQuery(task="CGL", dataset="farm.csv", nodes="all"),
        method="DirectLiNGAM",
        n_rows=900,
        estimate=2,
        edges=[Edge(source=cause, target=effect, mark="-->", weight=weight) for cause, effect, weight in edges],
    )
    result = result.model_copy(update={"summary": summarise(result)})
    text = "DirectLiNGAM on 900 rows of farm.csv finds 2 edges: rain → soil (0.5); soil causes crop (0.25)."
    assert check_wording(text, result).passed, check_wording(text, result)
    assert not check_wording(swapped(text, "0.5", "0.25"), result).passed
    assert not check_wording(text.replace("rain → soil", "soil → soil"), result).passed


def test_a_sentence_that_is_not_ended_is_refused(results):
    result = results["ATE"]
    assert not check_wording(f"{result.summary} That comes to,", result).passed
