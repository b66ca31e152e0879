"""What is said where adjusting for every other column moved an answer: it may have come after the treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causal_tools import CausalQuery, answer

ROWS = 600


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """``after`` is what amount and result bring about together; adjusting for it hides the effect, which is 2 an hour."""
    random = np.random.default_rng(3)
    hours, noise = random.uniform(0, 10, ROWS), random.normal(0, 1, (4, ROWS))
    breath = hours + noise[0]
    result = hours + breath + noise[1]
    plan = random.choice(["a", "b"], ROWS)
    gain = 3 + 0.6 * (plan == "b") + noise[2]
    later = gain + 1.4 * (plan == "b") + noise[0]
    return pd.DataFrame(
        {
            "hours": hours,
            "breath": breath,
            "result": result,
            "after": hours + 2 * result + noise[2],
            "before": noise[3],
            "plan": plan,
            "gain": gain,
            "later": later,
        }
    )


def _told(frame: pd.DataFrame, columns: list[str], **query: object) -> list[str]:
    result = answer(CausalQuery.model_validate(query), frame[columns], seed=0, checks=False)
    return [one for one in result.warnings if "settled before" in one]


@pytest.mark.parametrize("task", ["ATE", "MA"])
def test_an_amounts_effect_that_adjusting_moved_is_told(frame, task):
    roles = {"treatment": "hours", "response": "result"} | ({"mediator": "breath"} if task == "MA" else {})
    own = list(roles.values())
    (told,) = _told(frame, [*own, "after"], task=task, **roles)
    assert "adjusting for after moved the effect away from" in told and "the plain slope" in told
    assert 1.9 < float(told.split("away from ")[1].split(",")[0]) < 2.1
    assert _told(frame, [*own, "before"], task=task, **roles) == []
    assert _told(frame, [*own, "after"], task=task, covariates=["after"], **roles) == []  # as asked


def test_the_plain_slope_is_over_the_amounts_that_are_compared(frame):
    (told,) = _told(
        frame, ["hours", "result", "after"], task="ATE", treatment="hours", response="result", contrast=[2, 7]
    )
    assert 9.5 < float(told.split("away from ")[1].split(",")[0]) < 10.5


def test_an_action_that_only_adjusting_makes_best_is_told(frame):
    roles = {"task": "OPO", "treatment": "plan", "response": "gain"}
    (told,) = _told(frame, ["plan", "gain", "later"], **roles)
    assert "without adjusting for later, b would be best: its plain mean is better than that of a by" in told
    assert _told(frame, ["plan", "gain", "before"], **roles) == []
    (told,) = _told(frame.assign(gain=-frame["gain"]), ["plan", "gain", "later"], lower_is_better=True, **roles)
    assert "b would be best" in told
