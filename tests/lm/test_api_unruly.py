"""Against a server with 20 % errors and 5 % hangs: every question is answered or listed, and the cap holds to the cent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lm.api import ChatEndpoint
from lm.bundled import bundled_directory
from lm.errors import EndpointError, SpendCapReached
from lm.recordings import FolderRecordings
from lm.replies import Reply, Request
from training.baseline_api import baseline_answers
from training.queries import make_queries
from training.topic_library import load_topics

from .unruly import HANG_SECONDS, Unruly

KEY = "CAUSALSMITH_TEST_KEY"
PRICES = (10e-6, 30e-6)  # dollars a token


@pytest.fixture
def server() -> Iterator[Unruly]:
    one = Unruly(errors=0.2, hangs=0.05, prices=PRICES)
    yield one
    one.close()


def endpoint(url: str, folder: Path, **changes) -> ChatEndpoint:
    settings = {
        "base_url": url,
        "key_variable": KEY,
        "dollars_per_million": (10.0, 30.0),
        "timeout": HANG_SECONDS / 2,  # far more than an answer takes on a busy machine
        "first_wait": 0.002,
        "at_once": 16,
        "most_tokens": 20,
    }
    return ChatEndpoint("m", FolderRecordings(folder), **{**settings, **changes})


REQUESTS = [Request([{"role": "user", "content": f"question number {n}"}]) for n in range(300)]


def test_every_question_is_answered_or_listed(server, tmp_path, monkeypatch):
    """A call fails four times in a row with a chance of .25⁴, .4 %: of 300 about one, and more than 8 never."""
    monkeypatch.setenv(KEY, "k")
    one = endpoint(server.url, tmp_path, spend_cap=10.0)
    outcomes = one.complete_all(REQUESTS)
    failed = [o for o in outcomes if isinstance(o, EndpointError)]
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, EndpointError) or outcome.text == f"answer to question number {number}"
    assert len(failed) <= 8
    assert {"hang", "429", "500", "cut body", "garbled", "no choice", "answer"} <= set(server.kinds)
    assert server.billed <= one.spent + 1e-12  # whatever may have been charged is counted
    known = sum(server.kinds.values())
    again = endpoint(server.url, tmp_path, spend_cap=10.0).complete_all(REQUESTS)
    assert sum(server.kinds.values()) - known <= 4 * len(failed)  # only what failed is asked again
    assert max(server.answered.values()) == 1
    assert sum(isinstance(o, Reply) for o in again) >= len(REQUESTS) - len(failed)


def test_the_cap_holds_on_the_servers_books_too(server, tmp_path, monkeypatch):
    """A call costs about .0008 dollars, .0010 at worst; a cap of .05 is reached long before 300 questions."""
    monkeypatch.setenv(KEY, "k")
    one = endpoint(server.url, tmp_path, spend_cap=0.05)
    outcomes = one.complete_all(REQUESTS)
    assert server.billed <= one.spent + 1e-12
    assert one.spent <= 0.05
    assert one.spent > 0.05 - 0.0014  # and it is used up, but for less than one call
    assert sum(isinstance(o, SpendCapReached) for o in outcomes) > 200
    assert sum(isinstance(o, Reply) for o in outcomes) == len(list(tmp_path.iterdir()))


@pytest.fixture(scope="module")
def real_server(tmp_path_factory) -> Iterator[str]:
    """`transformers serve` with the bundled model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("w") as file:
        command = [str(Path(sys.executable).with_name("transformers")), "serve", str(bundled_directory())]
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            stdout=file,
            stderr=file,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1)
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.mark.slow
def test_a_real_model_behind_an_unruly_line(real_server, tmp_path, monkeypatch):
    """SmolLM2 behind `transformers serve`, behind a line with 20 % errors and 5 % hangs: readings, with and without the task."""
    monkeypatch.setenv(KEY, "k")
    unruly = Unruly(errors=0.2, hangs=0.05, prices=PRICES, behind=real_server)
    items = [make_queries(task, 1, 5, load_topics()[:6])[0] for task in ("ATE", "CGL", "MA")]
    settings = {"timeout": 60.0, "at_once": 2, "most_tokens": 48, "tries": 6, "spend_cap": 5.0}
    one = ChatEndpoint(
        str(bundled_directory()),
        FolderRecordings(tmp_path),
        base_url=unruly.url,
        key_variable=KEY,
        dollars_per_million=(10.0, 30.0),
        first_wait=0.01,
        **settings,
    )
    found = baseline_answers(one, items)
    assert len(found) == 6
    assert ((found["answer"] != "") ^ (found["failure"] != "")).all()
    answered = found[found["failure"] == ""]
    assert len(answered) >= 4, found["failure"].tolist()
    assert (answered["prompt_tokens"] > 100).all() and (answered["completion_tokens"] > 0).all()
    assert unruly.billed <= one.spent + 1e-9
    calls = sum(unruly.kinds.values())
    again = baseline_answers(one, items)
    assert again.loc[answered.index, "answer"].tolist() == answered["answer"].tolist()
    assert sum(unruly.kinds.values()) - calls <= 6 * (6 - len(answered))
    unruly.close()
