"""A fortnight of nights: annotations arrive, a run fails, a worse and a better adapter come, the hosted model is out once."""

import json

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fortnight(run) -> dict:
    done = run("tests.orchestration.fortnight", timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def nights(fortnight) -> dict[int, dict]:
    return {one["night"]: one for one in fortnight["nights"]}


def test_every_run_but_the_broken_one_succeeded_and_none_is_left_unfinished(fortnight, nights):
    assert {number for number, one in nights.items() if not all(one["succeeded"])} == {5}
    assert nights[5]["succeeded"] == [True, False]
    assert fortnight["unfinished"] == 0


def test_the_first_champion_beats_the_untuned_model(nights):
    assert nights[1]["passed"] and nights[1]["champion"] == "1"


def test_the_outage_costs_the_hosted_models_column_and_nothing_else(fortnight, nights):
    assert not nights[1]["hosted"]
    assert nights[2]["hosted"] and nights[2]["asked"] > 200
    assert all(one["hosted"] and one["asked"] == 0 for number, one in nights.items() if number > 2)
    assert fortnight["asked_again"] == 0


def test_annotations_are_seen_the_night_they_arrive(nights):
    assert [number for number, one in nights.items() if one["came"]] == [1, 4, 5, 12]


def test_an_equal_adapter_is_refused(nights):
    assert not nights[4]["passed"] and nights[4]["champion"] == "1"
    assert "not shown to be better" in nights[4]["verdict"]


def test_an_adapter_that_loses_a_task_is_refused_though_it_gains_elsewhere(nights):
    """The night after its evaluation broke: what was missing is done then."""
    assert not nights[6]["passed"] and nights[6]["champion"] == "1"
    assert "task MA: a fall by more than 0.05 is not ruled out" in nights[6]["verdict"]


def test_a_better_adapter_is_promoted_and_rolled_back_for_good(nights):
    assert nights[12]["passed"] and nights[12]["champion"] == nights[13]["champion"] == "4"
    assert nights[14]["champion"] == "1"


def test_quiet_nights_change_nothing_and_have_a_page_each(fortnight, nights):
    assert {nights[n]["champion"] for n in range(7, 12)} == {"1"}
    assert nights[14]["pages"] == 13  # every night but the broken one
    assert fortnight["ledger"][1] == 0  # no item was scored twice


def test_people_are_told_of_what_matters(fortnight, nights):
    titles = [text.splitlines()[0].strip("*") for text in fortnight["told"]]
    assert titles.count("evaluation failed") == 1
    assert [t for t in titles if t.startswith("New champion")] == [
        "New champion on 2026-12-01",
        "New champion on 2026-12-12",
    ]
    assert not nights[12]["in_control"]
    assert "Figures of 2026-12-12 outside their control band" in titles
