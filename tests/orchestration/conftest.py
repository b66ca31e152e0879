"""A home of its own for every test that runs the pipeline, in processes of their own, as users run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    """Run a Python module in a fresh process with the tiny profile and this module's home."""

    def call(*arguments: str, timeout: int = 280, **variables: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CAUSALSMITH_", "DAGSTER_", "AWS_"))
        }
        inherited.pop("OPENAI_API_KEY", None)
        cache = {} if "CAUSALSMITH_CACHE" not in os.environ else {"CAUSALSMITH_CACHE": os.environ["CAUSALSMITH_CACHE"]}
        chosen = {"CAUSALSMITH_HOME": str(home), "CAUSALSMITH_PROFILE": "tiny", "COLUMNS": "160", **cache, **variables}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**inherited, **chosen},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return call
