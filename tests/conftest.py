"""A cache of their own for all tests, so that none reads or writes the user's scores; and no test that a slow machine fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lm.bundled import BUNDLED
from lm.places import cache

settings.register_profile("untimed", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def new_cache(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes caches: empty but for a link to the bundled model, where it is unpacked already, which takes twenty seconds."""
    unpacked = list(cache().glob(f"{BUNDLED}-*-float32"))

    def make() -> Path:
        folder = tmp_path_factory.mktemp("cache")
        for one in unpacked:
            (folder / one.name).symlink_to(one, target_is_directory=True)
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def _own_cache(new_cache: Callable[[], Path]) -> Iterator[None]:
    folder = new_cache()
    before = os.environ.get("CAUSALSMITH_CACHE")
    os.environ["CAUSALSMITH_CACHE"] = str(folder)
    yield
    if before is None:
        del os.environ["CAUSALSMITH_CACHE"]
    else:
        os.environ["CAUSALSMITH_CACHE"] = before
