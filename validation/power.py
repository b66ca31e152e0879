"""How weak a dependence a test of independence would find."""

from __future__ import annotations

from functools import lru_cache

POWER = 0.8


def detectable_nats(degrees: int, rows: int, level: float, power: float = POWER) -> float:
    """Smallest conditional mutual information that G² or chi-squared would find, in nats.

    Under a dependence of I nats both statistics are about noncentral chi-squared with noncentrality 2 · rows · I (the
    deviance of independence from the truth). For permutation tests of the same statistics this is the same
    approximation, and a rougher one, since cells are sparse there: in simulations with 30 to 40 strata of about ten
    rows the power was .68 to .77 where .80 is stated.

    Args:
        degrees: of freedom of the test; with none, nothing is found.
        rows: of the data.
        level: p-value at which the dependence counts as found.
        power: chance of finding it.

    Returns:
        nats; infinite where no dependence can be found.

    Raises:
        ValueError: level or power not between 0 and 1, or level not below power.

    Source: Agresti (2013), Categorical Data Analysis, section 6.6.
    """
    if not 0 < level < power < 1:
        raise ValueError(f"level and power must be 0 < level < power < 1; given level {level}, power {power}")
    if degrees < 1 or rows < 1:
        return float("inf")
    return _noncentrality(degrees, level, power) / (2 * rows)


def single_level(statements: int, false_discovery: float) -> float:
    """p-value that one violated statement alone must reach among many: Benjamini-Yekutieli's smallest threshold.

    Args:
        statements: tests in the family.
        false_discovery: rate at which the family is held.
    """
    return false_discovery / (statements * sum(1 / rank for rank in range(1, statements + 1)))


@lru_cache(maxsize=4096)
def _noncentrality(degrees: int, level: float, power: float) -> float:
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    critical = float(chi2.isf(level, degrees))
    high = 1.0
    while ncx2.sf(critical, degrees, high) < power:
        high *= 2
    return float(brentq(lambda noncentrality: ncx2.sf(critical, degrees, noncentrality) - power, 0, high, xtol=1e-9))
