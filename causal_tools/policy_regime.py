"""Two-stage Q-learning by backward induction, and doubly robust scores of two-stage regimes.

Source: Murphy (2005), "A generalization error for Q-learning"; Chakraborty & Moodie (2013), chapters 3 and 5; the scores after
Zhang, Tsiatis, Laber & Davidian (2013), cross-fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from causal_tools.nuisance import FOLDS, choose_regressor, one_hot, propensity_floor


@dataclass(frozen=True)
class Stage:
    """One decision.

    Attributes:
        history: (rows, features) what is known before it.
        codes: (rows,) the action taken.
        levels: how many actions there are.
        propensity: (rows, levels) of each action given the history.
    """

    history: np.ndarray
    codes: np.ndarray
    levels: int
    propensity: np.ndarray


@dataclass(frozen=True)
class RegimeScores:
    """Scores that average to mean responses; every row is judged by rules learned without it.

    Attributes:
        fixed: (rows, first levels, second levels) of the same two actions for everyone.
        first: (rows, first levels) of a first action for everyone, then the learned second rule.
        learned: (rows,) of the learned rule at both stages.
        second: (rows, second levels) of the second action after the recorded past.
        fitted: (rows, first levels) the first Q function, without correction by weights.
        advised_first: (rows,) what the learned rule advises first.
        advised_second: (rows,) what it advises second, after the recorded past.
        models: the Q models of the first and the second stage.
    """

    fixed: np.ndarray
    first: np.ndarray
    learned: np.ndarray
    second: np.ndarray
    fitted: np.ndarray
    advised_first: np.ndarray
    advised_second: np.ndarray
    models: tuple[str, str]


def regime_scores(first: Stage, second: Stage, response: np.ndarray, seed: int, sense: int = 1) -> RegimeScores:
    """Learn the rules by Q-learning on all folds but one, and score the regimes on that one.

    The second Q function is a regression of the response on the second action, the history and their products; its largest
    value over the actions (with a ``sense`` of −1 its smallest) is the response of the first regression.
    """
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    response = sense * response
    rows = len(response)
    late_design = _design(second.history, second.codes, second.levels)
    late = choose_regressor(late_design, response, seed)
    ahead = _by_action(clone(late.model).fit(late_design, response), second.history, second.levels).max(axis=1)
    early_design = _design(first.history, first.codes, first.levels)
    early = choose_regressor(early_design, ahead, seed)

    q_second = np.empty((rows, second.levels))
    # the mean of the second Q function given the first action: under each fixed second action, then under the learned rule
    q_first = np.empty((rows, first.levels, second.levels + 1))
    combination = first.codes * second.levels + second.codes
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(combination, combination):
        model = clone(late.model).fit(late_design[train], response[train])
        reached = _by_action(model, second.history[train], second.levels)
        q_second[test] = _by_action(model, second.history[test], second.levels)
        for rule in range(second.levels + 1):
            goal = reached[:, rule] if rule < second.levels else reached.max(axis=1)
            onward = clone(early.model).fit(early_design[train], goal)
            q_first[test, :, rule] = _by_action(onward, first.history[test], first.levels)

    took_first, took_second = _weights(first), _weights(second)
    every = np.arange(rows)
    second_scores = q_second + took_second * (response[:, None] - q_second)
    # Augmented inverse-propensity scores, stage by stage: the second stage's score stands in for the response of the first.
    fixed = q_first[:, :, :-1] + took_first[:, :, None] * (second_scores[:, None, :] - q_first[:, :, :-1])
    advised_second = q_second.argmax(axis=1)
    followed = second_scores[every, advised_second]
    onward_q = q_first[:, :, -1]
    first_scores = onward_q + took_first * (followed[:, None] - onward_q)
    advised_first = onward_q.argmax(axis=1)
    return RegimeScores(
        sense * fixed,
        sense * first_scores,
        sense * first_scores[every, advised_first],
        sense * second_scores,
        sense * onward_q,
        advised_first,
        advised_second,
        (early.name, late.name),
    )


def _weights(stage: Stage) -> np.ndarray:
    """(rows, levels) one over the propensity for the action taken, nought for the others."""
    taken = stage.codes[:, None] == np.arange(stage.levels)[None, :]
    return np.asarray(taken / np.clip(stage.propensity, propensity_floor(len(stage.codes)), 1))


def _design(history: np.ndarray, codes: np.ndarray, levels: int) -> np.ndarray:
    """(rows, features) the history, the action, and their products, so that the actions may differ in slope."""
    indicators = one_hot(codes, levels)
    products = (indicators[:, :, None] * history[:, None, :]).reshape(len(history), -1)
    return np.column_stack([history, indicators, products])


def _by_action(model: Any, history: np.ndarray, levels: int) -> np.ndarray:
    """(rows, levels) what the model predicts under each action."""
    return np.column_stack(
        [model.predict(_design(history, np.full(len(history), level), levels)) for level in range(levels)]
    )
