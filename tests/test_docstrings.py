"""What docstrings show is what comes out."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lm", "sdscm", "causal_tools", "training", "validation", "assets", "orchestration")
SHOWING = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_some_docstrings_show_something():
    assert len(SHOWING) > 5


@pytest.mark.parametrize("module", SHOWING)
def test_what_docstrings_show_holds(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
