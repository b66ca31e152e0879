"""Direct and indirect effects against closed forms and against an independent Monte Carlo."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from causal_tools.errors import EstimationRefused, QueryError
from causal_tools.natural_effects import weighted_fit
from causal_tools.treatment import Response

from .asking import ask, inside
from .simulators import logistic, mediated


def test_effects_with_interaction_are_recovered() -> None:
    result = ask(mediated(4000, 1), "MA", mediator="m")
    assert result.direct == pytest.approx(1.4, abs=0.2)
    assert result.indirect == pytest.approx(1.35, abs=0.2)
    assert result.diagnostics["indirect_without_treatment"] == pytest.approx(0.75, abs=0.15)
    assert (
        inside(1.4, result.direct_interval) and inside(1.35, result.indirect_interval) and inside(2.75, result.interval)
    )
    assert result.total == pytest.approx(result.direct + result.indirect)
    assert result.estimate == result.total
    assert result.diagnostics["proportion_mediated"] == pytest.approx(result.indirect / result.total)


def test_intervals_cover_direct_and_indirect_over_seeds() -> None:
    """Each of the 20 intervals covers with 95 %; fewer than 17 would happen in 2 % of draws of the seeds."""
    covered = 0
    for seed in range(10):
        result = ask(mediated(800, 50 + seed), "MA", mediator="m", seed=seed)
        covered += inside(1.4, result.direct_interval) + inside(1.35, result.indirect_interval)
    assert covered >= 17


def test_without_interaction_the_linear_effects_are_products_of_coefficients() -> None:
    result = ask(mediated(3000, 2, interaction=0.0), "MA", mediator="m")
    assert result.indirect == pytest.approx(0.75, abs=0.12)
    assert result.direct == pytest.approx(1.0, abs=0.15)


def binary_chain(
    rows: int, generator: np.random.Generator, treatment: int | None = None, through: int | None = None
) -> pd.DataFrame:
    """t → m → y and t → y, both logistic; ``treatment`` sets y's parent, ``through`` the mediator's."""
    x = generator.normal(size=rows)
    t = generator.binomial(1, logistic(x)) if treatment is None else np.full(rows, treatment)
    m = generator.binomial(1, logistic(-0.5 + 1.5 * (t if through is None else through) + 0.5 * x))
    y = generator.binomial(1, logistic(-1 + 0.8 * t + 1.2 * m + 0.5 * x))
    return pd.DataFrame({"t": t, "m": m, "y": y, "x": x})


def test_binary_mediator_and_response_give_differences_in_risk() -> None:
    generator = np.random.default_rng(3)
    means = {(a, b): binary_chain(150_000, generator, a, b)["y"].mean() for a, b in [(0, 0), (1, 0), (1, 1)]}
    result = ask(binary_chain(5000, generator), "MA", mediator="m")
    assert result.direct == pytest.approx(means[1, 0] - means[0, 0], abs=0.05)
    assert result.indirect == pytest.approx(means[1, 1] - means[1, 0], abs=0.03)
    assert "logistic regression of the mediator, logistic regression of the response" in result.method


def test_a_continuous_mediator_of_a_binary_response_is_integrated_over() -> None:
    def chain(rows: int, treatment: int | None = None, through: int | None = None) -> pd.DataFrame:
        x = generator.normal(size=rows)
        t = generator.binomial(1, logistic(x)) if treatment is None else np.full(rows, treatment)
        m = 1.5 * (t if through is None else through) + x + 2 * generator.normal(size=rows)
        return pd.DataFrame({"t": t, "m": m, "x": x, "y": generator.binomial(1, logistic(-1 + 0.5 * t + 0.8 * m))})

    generator = np.random.default_rng(4)
    means = {(a, b): chain(150_000, a, b)["y"].mean() for a, b in [(0, 0), (1, 0), (1, 1)]}
    result = ask(chain(3000), "MA", mediator="m")
    assert result.direct == pytest.approx(means[1, 0] - means[0, 0], abs=0.05)
    assert result.indirect == pytest.approx(means[1, 1] - means[1, 0], abs=0.05)


def test_an_amount_as_treatment_gives_effects_per_unit() -> None:
    generator = np.random.default_rng(5)
    x = generator.normal(size=3000)
    t = x + generator.normal(size=3000)
    m = 2 * t + x + generator.normal(size=3000)
    frame = pd.DataFrame({"t": t, "m": m, "x": x, "y": 0.5 * t - m + x + generator.normal(size=3000)})
    result = ask(frame, "MA", mediator="m")
    assert (result.direct, result.indirect) == (pytest.approx(0.5, abs=0.15), pytest.approx(-2, abs=0.15))
    assert "proportion_mediated" not in result.diagnostics


@pytest.mark.parametrize(("column", "scale", "zero"), [("m", 1e-6, 0.0), ("m", 1.0, 1e5), ("t", 1e-6, 0.0)])
def test_units_and_zero_of_an_amount_have_no_say(column: str, scale: float, zero: float) -> None:
    generator = np.random.default_rng(9)
    t = 1 + generator.normal(size=400)
    m = 2 * t + generator.normal(size=400)
    frame = pd.DataFrame({"t": t, "m": m, "y": t + m + 0.3 * t * m + generator.normal(size=400)})
    contrast = {"t": 1.0, "m": 1.0} | {column: scale}
    plain, other = (
        ask(one, "MA", mediator="m", contrast=(0, level))
        for one, level in ((frame, 1), (frame.assign(**{column: scale * frame[column] + zero}), contrast["t"]))
    )
    for name in ("direct", "indirect", "direct_interval", "indirect_interval", "interval"):
        assert getattr(other, name) == pytest.approx(getattr(plain, name), rel=1e-3)
    slope = other.diagnostics["treatment_on_mediator"]
    assert slope == pytest.approx(plain.diagnostics["treatment_on_mediator"] * contrast["m"] / contrast["t"])
    assert plain.diagnostics["mediator_on_response"] == pytest.approx(1, abs=0.2)  # where the treatment is nought
    assert plain.diagnostics["interaction"] == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("binary", [False, True])
def test_the_resamples_regression_agrees_with_statsmodels(binary: bool) -> None:
    generator = np.random.default_rng(6)
    design = np.column_stack([np.ones(500), generator.normal(size=(500, 2))])
    linear = design @ [0.3, 1.0, -0.5]
    target = generator.binomial(1, logistic(linear)).astype(float) if binary else linear + generator.normal(size=500)
    counts = generator.integers(0, 4, 500).astype(float)
    model = (
        sm.GLM(target, design, family=sm.families.Binomial(), freq_weights=counts)
        if binary
        else sm.WLS(target, design, counts)
    )
    fitted = weighted_fit(design, Response("y", target, binary), counts, np.zeros(3))
    assert fitted == pytest.approx(model.fit().params, abs=1e-5)


def test_a_mediator_that_is_the_treatment_or_follows_from_it_is_refused() -> None:
    frame = mediated(300, 7)
    with pytest.raises(EstimationRefused, match="two names"):
        ask(frame.assign(m=1 - frame["t"]), "MA", mediator="m")
    with pytest.raises(EstimationRefused, match="explain 100"):
        ask(frame.assign(m=3.0 * frame["t"] + frame["x"]), "MA", mediator="m")


def test_a_mediator_of_many_texts_is_refused() -> None:
    frame = mediated(90, 8)
    with pytest.raises(QueryError, match="number or have two values"):
        ask(frame.assign(m=["a", "b", "c"] * 30), "MA", mediator="m")


def test_a_mediator_that_the_treatment_does_not_move_is_told() -> None:
    generator = np.random.default_rng(40)
    t, m = generator.integers(0, 2, 400), generator.normal(size=400)
    frame = pd.DataFrame({"t": t, "m": m, "y": t + m + generator.normal(size=400)})
    assert any("may not lie between" in line for line in ask(frame, "MA", mediator="m").warnings)
    assert not any("may not lie between" in line for line in ask(mediated(400, 41), "MA", mediator="m").warnings)
