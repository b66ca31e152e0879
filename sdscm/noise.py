"""One noise term per row and variable, from child streams named after the variable, and how a level follows from it.

Stored noise is what makes counterfactuals possible: the same noise under new parents is the same unit in another world. Row i's
noise is a fixed stretch of its stream, so any subset of rows can be drawn alone.

Two couplings of the worlds: ``gumbel`` (Gumbel-max over the levels: the level is the argmax of log-probability plus noise) and
``inverse_cdf`` (one uniform number; the level is where the cumulative law, in the order of the levels, passes it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from sdscm.errors import ScenarioError

Coupling = Literal["gumbel", "inverse_cdf"]
Rows = int | Sequence[int] | np.ndarray
_BLOCK = 1024  # rows generated together where scattered rows are asked for
_LEAST, _MOST = 2.0**-54, np.nextafter(1.0, 0.0)  # uniform numbers strictly between 0 and 1


def child_stream(seed: int, *names: str) -> np.random.Generator:
    """A generator that depends on the seed and the names alone, not on what was drawn elsewhere.

    Raises:
        ScenarioError: the seed is no non-negative integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ScenarioError(f"a seed is a non-negative integer; given {seed!r}")
    words = np.frombuffer(hashlib.sha256("/".join(names).encode()).digest(), dtype=np.uint32)
    return np.random.default_rng(np.random.SeedSequence([seed, *map(int, words)]))


def row_ids(rows: Rows) -> np.ndarray:
    """Row numbers: 0 … rows − 1 for a count, else the numbers given.

    Raises:
        ValueError: no row, or a negative or fractional number.
    """
    ids = np.arange(rows) if isinstance(rows, (int, np.integer)) else np.asarray(rows)
    if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu" or ids.min() < 0:
        raise ValueError(f"rows must be a positive count or a list of row numbers from 0 on; given rows={rows!r}")
    return ids.astype(np.int64)


def uniforms(seed: int, names: Sequence[str], rows: Rows, columns: int) -> np.ndarray:
    """(rows, columns) uniform numbers in (0, 1); each row's are its own, whichever other rows are asked for."""
    ids = row_ids(rows)
    if (np.diff(ids) == 1).all():
        numbers = _stretch(seed, names, int(ids[0]), len(ids), columns)
    else:
        numbers = np.empty((len(ids), columns))
        block = ids // _BLOCK
        for number in np.unique(block):
            mine = block == number
            numbers[mine] = _stretch(seed, names, int(number) * _BLOCK, _BLOCK, columns)[ids[mine] % _BLOCK]
    return np.clip(numbers, _LEAST, _MOST, out=numbers)


def _stretch(seed: int, names: Sequence[str], first: int, rows: int, columns: int) -> np.ndarray:
    stream = child_stream(seed, *names)
    stream.bit_generator.advance(first * columns)  # type: ignore[attr-defined]  # PCG64: one step a double
    return stream.random((rows, columns))


def draw_noise(coupling: Coupling, seed: int, variable: str, rows: Rows, levels: int) -> np.ndarray:
    """Noise of a variable.

    Args:
        coupling: ``gumbel`` or ``inverse_cdf``.
        seed: of the run.
        variable: name of its stream.
        rows: a count, or row numbers.
        levels: of the variable.

    Returns:
        ``gumbel``: (rows, levels) standard Gumbel; ``inverse_cdf``: (rows, 1) uniform on (0, 1).
    """
    if coupling == "inverse_cdf":
        return uniforms(seed, ["noise", variable], rows, 1)
    return _gumbel(uniforms(seed, ["noise", variable], rows, levels))


def choose(coupling: Coupling, log_probs: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(rows,) index of the level that the noise picks under each row's law.

    Args:
        coupling: ``gumbel`` or ``inverse_cdf``.
        log_probs: (rows, levels), nats, normalised along the last axis.
        noise: as :func:`draw_noise` gives it.
    """
    return gumbel_max(log_probs, noise) if coupling == "gumbel" else inverse_cdf(log_probs, noise)


def posterior_noise(coupling: Coupling, log_probs: np.ndarray, drawn: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Noise given the level it picked: with it, a row observed without its noise can be asked "what if".

    Args:
        coupling: ``gumbel`` or ``inverse_cdf``.
        log_probs: (rows, levels), nats, normalised.
        drawn: (rows,) index of the level observed; its probability must be positive.
        numbers: (rows, levels) uniform numbers in (0, 1) to draw the noise with; ``inverse_cdf`` uses the first column.

    Returns:
        As :func:`draw_noise`; :func:`choose` gives ``drawn`` back from it.

    Raises:
        ValueError: ``inverse_cdf``, and a level's interval is narrower than rounding.

    Source: Oberst & Sontag (2019), section 3; truncated Gumbels as in Maddison & Tarlow (2017).
    """
    rows = np.arange(len(drawn))
    if coupling == "inverse_cdf":
        cumulative = _cumulative(log_probs)
        high = cumulative[rows, drawn]
        low = np.where(drawn > 0, cumulative[rows, drawn - 1], 0.0)
        if (high <= low).any():
            row = int(np.flatnonzero(high <= low)[0])
            raise ValueError(
                f"the level of row {row} is so unlikely that inverse_cdf cannot tell it from an impossible one"
            )
        return np.clip(low + (high - low) * numbers[:, 0], low, np.nextafter(high, 0.0))[:, None]
    largest = _gumbel(numbers[rows, drawn])
    noise = -np.log(np.exp(log_probs - largest[:, None]) - np.log(numbers))
    noise[rows, drawn] = largest - log_probs[rows, drawn]
    while (lost := np.flatnonzero(gumbel_max(log_probs, noise) != drawn)).size:  # ties by rounding
        noise[lost, drawn[lost]] += 1e-12 + 1e-12 * np.abs(noise[lost, drawn[lost]])
    return noise


def gumbel_max(log_probs: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Draw one level a row, reusing stored noise so that counterfactuals share it.

    Args:
        log_probs: (rows, levels), nats, normalised along the last axis.
        noise: (rows, levels), standard Gumbel, one draw per row and level.

    Returns:
        (rows,) index of the level drawn.

    Raises:
        ValueError: shapes differ, or a row has no level of positive probability.

    Source: Oberst & Sontag (2019), section 3.
    """
    if log_probs.shape != noise.shape:
        raise ValueError(f"log_probs has shape {log_probs.shape} but noise {noise.shape}; they must agree")
    _require_a_level(log_probs)
    return np.argmax(log_probs + noise, axis=-1)


def inverse_cdf(log_probs: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Draw one level a row: the first whose cumulative probability passes the row's uniform number.

    Args:
        log_probs: (rows, levels), nats, normalised along the last axis.
        noise: (rows, 1), uniform on (0, 1).

    Returns:
        (rows,) index of the level drawn.

    Raises:
        ValueError: shapes differ, or a row has no level of positive probability.
    """
    if noise.shape != (len(log_probs), 1):
        raise ValueError(
            f"log_probs has shape {log_probs.shape}, so noise must be ({len(log_probs)}, 1); it is {noise.shape}"
        )
    _require_a_level(log_probs)
    return (noise >= _cumulative(log_probs)).sum(axis=-1)


def _cumulative(log_probs: np.ndarray) -> np.ndarray:
    """(rows, levels) cumulative law, exactly 1 from the last possible level on."""
    cumulative = np.cumsum(np.exp(log_probs), axis=-1)
    possible = np.isfinite(log_probs)
    last = log_probs.shape[-1] - 1 - np.argmax(possible[:, ::-1], axis=-1)
    cumulative[np.arange(log_probs.shape[-1]) >= last[:, None]] = 1.0
    return np.minimum(cumulative, 1.0)


def _gumbel(numbers: np.ndarray) -> np.ndarray:
    return -np.log(-np.log(numbers))


def _require_a_level(log_probs: np.ndarray) -> None:
    if not np.isfinite(log_probs).any(axis=-1).all():
        raise ValueError("a row has no level of positive probability")
