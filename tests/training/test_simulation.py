"""Simulated files: their columns, and truths held against independent derivations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools.contract import CausalQuery, EffectResult
from training.grammar.engine import FamilyTask
from training.queries import QueryItem, make_queries
from training.simulation import errors_of, simulate_file, true_answer
from training.simulation_columns import Column, holds
from training.simulation_worlds import World, make_world
from training.topic_library import load_topics

ROWS = 600
TASKS: tuple[FamilyTask, ...] = ("CGL", "ATE", "HTE", "MA", "OPO")
TOPICS = load_topics()
ITEMS = {task: make_queries(task, 12, 5, TOPICS) for task in TASKS}
NODE = Column((), np.empty(0), low=0.0, high=10.0, decimals=6)
ARM = Column(("none", "half", "full"), np.array([-1.0, 0.0, 1.0]))
GROUP = Column(("north", "south"), np.array([-1.0, 1.0]))


def hand_made_world(task: str, conditions: tuple[dict[str, object], ...] = (), **changed: object) -> World:
    """A world small enough to work out by hand; the response runs from 0 to 10, so latent 1 is worth 5."""
    mediator = "m" if task == "MA" else None
    query = CausalQuery.model_validate(
        {"task": task, "treatment": "t", "response": "y", "mediator": mediator, "conditions": conditions}
    )
    law: dict[str, object] = {
        "query": query,
        "columns": {"t": ARM, "y": NODE, "m": NODE, "x": NODE, "g": GROUP},
        "conditions": {condition.column: condition for condition in query.conditions},
        "chances": {"t": np.ones(3) / 3, "g": np.array([0.4, 0.6])},
        "selection": np.array([-1.0, 0.0, 1.0]),
        "pull": {"x": 1.0},
        "push": {"x": 1.0},
        "arms": np.array([[0.0, 0.0], [0.5, 0.0], [-0.25, 0.0]]),
        "mediator_arms": np.array([[0.0, 0.0], [0.2, 0.0], [0.4, 0.0]]),
        "shares": (0.2, 0.4, 0.2, 0.2),
    }
    return World(**{**law, **changed})  # type: ignore[arg-type]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


def test_average_effect_is_share_times_arm_times_half_the_range(random: np.random.Generator) -> None:
    truth = true_answer(hand_made_world("ATE"), random)
    assert truth["reference"] == "none"
    assert truth["contrasts"]["half"] == pytest.approx(0.4 * 0.5 * 5, abs=1e-5)
    assert truth["contrasts"]["full"] == pytest.approx(0.4 * -0.25 * 5, abs=1e-5)


def test_effect_of_an_amount_is_per_unit(random: np.random.Generator) -> None:
    columns = {"t": NODE, "y": NODE, "x": NODE}
    truth = true_answer(hand_made_world("ATE", columns=columns, arms=np.array([[0.5, 0.0]])), random)
    # ten units of treatment move its score by 2, the latent response by 0.4 * 0.5 * 2 and the response by 5 times that
    assert truth["contrasts"]["1"] == pytest.approx(0.4 * 0.5 * 2 * 5 / 10, abs=1e-5)


def test_effect_on_a_chance_is_half_the_latent_effect(random: np.random.Generator) -> None:
    yes_no = Column((0, 1), np.array([-1.0, 1.0]))
    truth = true_answer(hand_made_world("ATE", columns={"t": ARM, "y": yes_no, "x": NODE}), random)
    assert truth["contrasts"]["half"] == pytest.approx(0.4 * 0.5 / 2, abs=1e-12)


def test_natural_effects_follow_the_product_of_paths(random: np.random.Generator) -> None:
    true = true_answer(hand_made_world("MA"), random)["contrasts"]["full"]
    # the mediator's latent effect is 0.45 * 0.4, and its score enters the response with a share of 0.2
    assert true["indirect"] == pytest.approx(0.45 * 0.4 * 0.2 * 5, abs=1e-5)
    assert true["direct"] == pytest.approx(0.4 * -0.25 * 5, abs=1e-5)
    assert true["total"] == pytest.approx(true["direct"] + true["indirect"], abs=1e-12)


@pytest.mark.parametrize(("group", "effect"), [("north", 0.5), ("south", 0.5 + 0.3 * 2)])
def test_effect_in_a_group_differs_from_that_in_the_other(
    group: str, effect: float, random: np.random.Generator
) -> None:
    asked = ({"column": "g", "operator": "=", "value": "north"},)
    arms = np.array([[0.0, 0.0], [0.5, 0.3], [0.0, 0.0]])
    world = hand_made_world("HTE", asked, arms=arms)
    settled = {**world.before(1000, random), "g": np.full(1000, float(group == "south"))}
    noise = np.zeros((4, 1000))
    treated, untreated = (world.latent_response(settled, np.full(1000, arm), None, noise) for arm in (1.0, 0.0))
    assert (treated - untreated) / 0.4 == pytest.approx(effect)
    if group == "north":
        assert true_answer(world, random)["contrasts"]["half"] == pytest.approx(0.4 * effect * 5, abs=1e-5)


def test_effect_at_a_point_takes_the_point(random: np.random.Generator) -> None:
    asked = ({"column": "x", "operator": "=", "value": 7.5},)
    truth = true_answer(hand_made_world("HTE", asked, arms=np.array([[0, 0], [0.5, 0.9], [0, 0.0]])), random)
    assert truth["contrasts"]["half"] == pytest.approx(0.4 * 0.5 * 5, abs=1e-5)


def test_best_action_has_the_highest_arm(random: np.random.Generator) -> None:
    truth = true_answer(hand_made_world("OPO"), random)
    assert truth["action"] == "half"
    assert truth["gap"] == pytest.approx(0.4 * 0.5 * 5, abs=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_files_have_the_header_and_levels_of_their_items(task: FamilyTask) -> None:
    topics = {topic.name: topic for topic in TOPICS}
    for item in ITEMS[task]:
        file = simulate_file(item, ROWS, 1)
        own = [name for name in item.columns if name in topics[item.topic].by_column]
        assert list(file.frame.columns) == own
        assert len(file.frame) == ROWS and not file.frame.isna().any().any()
        nodes = (file.query.nodes if isinstance(file.query.nodes, tuple) else own) if task == "CGL" else ()
        for name in set(own) - set(nodes):
            variable = topics[item.topic].by_column[name]
            found = set(file.frame[name].tolist())
            if variable.discrete:
                assert found <= set(item.levels[name]) and len(found) > 1
            else:
                low, high = map(float, variable.values)
                assert low <= min(found) < max(found) <= high
            if variable.kind == "count":
                assert pd.api.types.is_integer_dtype(file.frame[name])


def test_enough_rows_meet_every_condition() -> None:
    for item in ITEMS["HTE"]:
        file = simulate_file(item, ROWS, 1)
        met = np.ones(ROWS, dtype=bool)
        for condition in file.query.conditions:
            if condition.operator != "=" or condition.column in item.levels:
                met &= np.array([holds(value, condition) for value in file.frame[condition.column].tolist()])
        assert met.mean() > 0.25, item.question


def test_same_seed_gives_the_same_file_and_another_seed_another() -> None:
    for task in TASKS:
        item = ITEMS[task][0]
        first, again, other = (simulate_file(item, ROWS, seed) for seed in (3, 3, 4))
        pd.testing.assert_frame_equal(first.frame, again.frame)
        assert first.truth == again.truth
        assert not first.frame.equals(other.frame)


def test_more_rows_do_not_change_the_truth() -> None:
    for task in TASKS:
        short, long = (simulate_file(ITEMS[task][1], rows, 3).truth for rows in (50, 100))
        assert {**short, "response_sd": 0} == {**long, "response_sd": 0}


def test_confounders_are_adjustable_and_move_treatment_and_response() -> None:
    for item in ITEMS["ATE"]:
        query = CausalQuery.model_validate(item.query)
        known = {topic.name: topic for topic in TOPICS}[item.topic].by_column
        item = item.model_copy(update={"columns": tuple(name for name in item.columns if name in known)})
        world = make_world(item, query, np.random.default_rng(2))
        assert world.pull.keys() == world.push.keys()
        assert set(world.pull) <= set(query.covariates or item.columns) - {query.treatment, query.response}
        assert min(map(abs, [*world.pull.values(), *world.push.values()])) > 0.1


def test_graph_weights_are_those_of_least_squares_on_the_parents() -> None:
    for item in ITEMS["CGL"]:
        file = simulate_file(item, 4000, 2)
        parents: dict[str, dict[str, float]] = {}
        for source, target, weight in file.truth["edges"]:
            assert 0.5 <= abs(weight) <= 1
            parents.setdefault(target, {})[source] = weight
        assert parents
        for target, weights in parents.items():
            design = np.column_stack([np.ones(4000), file.frame[list(weights)]])
            fitted = np.linalg.lstsq(design, file.frame[target].to_numpy(), rcond=None)[0][1:]
            assert fitted == pytest.approx(list(weights.values()), abs=0.12)


def test_every_best_action_is_clearly_best() -> None:
    gaps = []
    for item in make_queries("OPO", 36, 5, TOPICS):
        truth = simulate_file(item, ROWS, 1).truth
        assert truth["values"][str(truth["action"])] == max(truth["values"].values())
        gaps.append(truth["gap"] / truth["response_sd"])
    assert np.median(gaps) > 0.5
    assert min(gaps) > 0.15  # of 180 files the narrowest had 0.199


def test_error_of_an_effect_is_taken_for_the_levels_compared() -> None:
    query = CausalQuery(task="ATE", treatment="t", response="y")
    result = EffectResult(task="ATE", query=query, method="m", estimate=1.5, n_rows=9, contrast=("none", "full"))
    truth = {"reference": "none", "contrasts": {"half": 9.0, "full": 1.0}}
    assert errors_of(result, truth) == {"effect": 0.5}
    assert errors_of(result.model_copy(update={"contrast": ("half", "full")}), truth) == {"effect": 9.5}
    assert errors_of(result.model_copy(update={"contrast": ("full", "none")}), truth) == {"effect": 2.5}


def test_a_question_of_no_causal_task_has_no_file() -> None:
    item: QueryItem = make_queries("NONE", 1, 1, TOPICS)[0]
    with pytest.raises(ValueError, match="causal item"):
        simulate_file(item, ROWS, 1)
