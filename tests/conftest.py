"""A cache of their own for all tests, so that none reads or writes the user's scores; and no test that a slow machine fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from lm.bundled import BUNDLED
from lm.places import cache

settings.register_profile("untimed", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Empty but for a link to the bundled model, where it is unpacked already: unpacking it takes twenty seconds."""
    folder = tmp_path_factory.mktemp("cache")
    for unpacked in cache().glob(f"{BUNDLED}-*-float32"):
        (folder / unpacked.name).symlink_to(unpacked, target_is_directory=True)
    before = os.environ.get("CAUSALSMITH_CACHE")
    os.environ["CAUSALSMITH_CACHE"] = str(folder)
    yield
    if before is None:
        del os.environ["CAUSALSMITH_CACHE"]
    else:
        os.environ["CAUSALSMITH_CACHE"] = before
