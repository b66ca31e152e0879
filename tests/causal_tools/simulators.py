"""Data-generating processes whose true effects follow from their equations."""

from __future__ import annotations

import numpy as np
import pandas as pd


def logistic(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def confounded_binary(rows: int, seed: int) -> pd.DataFrame:
    """Effect 1 + 2x: 1 on average, 4 at x = 1.5, 1 + 2·sqrt(2/π) where x > 0; raw differences are near 3."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, rows))
    t = generator.binomial(1, logistic(x + 0.5 * z))
    y = (1 + 2 * x) * t + x + z + generator.normal(size=rows)
    return pd.DataFrame({"t": t, "y": y, "x": x, "z": z, "region": generator.choice(["north", "south"], rows)})


def confounded_amount(rows: int, seed: int) -> pd.DataFrame:
    """1.5 a unit of ``dose``, confounded through curves."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, rows))
    dose = x + np.sin(z) + generator.normal(size=rows)
    return pd.DataFrame({"dose": dose, "y": 1.5 * dose + x**2 + z + x + generator.normal(size=rows), "x": x, "z": z})


def three_arms(rows: int, seed: int) -> pd.DataFrame:
    """Against placebo: drug_a 1, drug_b 3; sicker patients get drug_a."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    odds = np.exp(np.outer(x, [0, 0.7, -0.7]))
    arm = (generator.random(rows)[:, None] > (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    y = np.array([0.0, 1.0, 3.0])[arm] + 2 * x + generator.normal(size=rows)
    return pd.DataFrame({"arm": np.array(["placebo", "drug_a", "drug_b"])[arm], "y": y, "x": x})


def mediated(rows: int, seed: int, interaction: float = 0.4) -> pd.DataFrame:
    """M = 1 + 1.5t + x, Y = t + (0.5 + interaction·t)·M + x.

    The mean of M untreated is 1: direct 1 + interaction, indirect (0.5 + interaction)·1.5.
    """
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    t = generator.binomial(1, logistic(x))
    m = 1 + 1.5 * t + x + generator.normal(size=rows)
    y = t + (0.5 + interaction * t) * m + x + generator.normal(size=rows)
    return pd.DataFrame({"t": t, "m": m, "y": y, "x": x})


def three_actions(rows: int, seed: int) -> pd.DataFrame:
    """Mean response by action: wait 1, walk u, run -u; those with larger z run more often and respond better."""
    generator = np.random.default_rng(seed)
    u, z = generator.normal(size=(2, rows))
    odds = np.exp(np.column_stack([np.zeros(rows), np.zeros(rows), 0.8 * z]))
    act = (generator.random(rows)[:, None] > (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    reward = np.choose(act, [np.ones(rows), u, -u]) + z + generator.normal(size=rows)
    return pd.DataFrame({"act": np.array(["wait", "walk", "run"])[act], "u": u, "z": z, "reward": reward})


def uniform_noise_graph(rows: int, seed: int) -> tuple[pd.DataFrame, dict[tuple[str, str], float]]:
    """A linear model with uniform noise, columns not in causal order, and its weights by (cause, effect)."""
    generator = np.random.default_rng(seed)
    e = generator.uniform(-1, 1, size=(5, rows))
    p = e[0]
    q = 1.5 * p + e[1]
    r = -1.2 * q + 0.8 * p + e[2]
    s = 0.9 * r + e[3]
    t = 0.7 * q + 1.1 * s + e[4]
    weights = {("p", "q"): 1.5, ("q", "r"): -1.2, ("p", "r"): 0.8, ("r", "s"): 0.9, ("q", "t"): 0.7, ("s", "t"): 1.1}
    return pd.DataFrame({"t": t, "r": r, "p": p, "s": s, "q": q}), weights


def gaussian_collider(rows: int, seed: int) -> pd.DataFrame:
    """a → c ← b → d: only the collider's arrows and what follows from them can be told; b — d cannot."""
    generator = np.random.default_rng(seed)
    a, b, e, f = generator.normal(size=(4, rows))
    return pd.DataFrame({"d": 0.8 * b + f, "c": a - 1.3 * b + e, "b": b, "a": a})
