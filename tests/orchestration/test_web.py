"""The page as a person meets it: a real server on loopback, driven in a headless Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import httpx
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.web import running
from orchestration.web_model import SharedModel

from .visiting import EFFECT, LONG, SUBGROUP, Told, Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium, chromium-browser or google-chrome is installed")


def slowly() -> tuple[Any, str]:
    time.sleep(1)
    return Told(), "a stand-in was loaded."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(7)
    rows = 400
    age = random.normal(50, 10, rows)
    drug = random.binomial(1, 1 / (1 + np.exp(-(age - 50) / 20)))
    sleep = 7 + drug + random.normal(0, 1, rows)
    pain = 5 - 2 * drug + 0.05 * age + random.normal(0, 1, rows)
    path = tmp_path_factory.mktemp("data") / "trial.csv"
    frame = {"drug": drug, "pain": pain.round(3), "age": age.round(1), "sleep": sleep.round(2)}
    pd.DataFrame({**frame, "ward": random.choice(["north", "south", "west"], rows)}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(free_port(), SharedModel(slowly, "told")) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium.new_context(viewport={"width": 1280, "height": 900})
        chromium.close()


@pytest.fixture
def visitor(browser: Any, address: str) -> Iterator[Visitor]:
    person = Visitor(browser, address)
    yield person
    assert person.faults == []
    assert person.hosts <= {urlparse(address).netloc, ""}  # data: and blob: addresses have no host
    person.page.close()


def test_a_question_is_read_corrected_and_answered(visitor: Visitor, trial: Path) -> None:
    visitor.uploads(trial, "400 rows")
    shown = visitor.text("#about-file")
    assert "5 columns" in shown and "categorical" in shown and "The first 8 rows" in shown
    visitor.page.click(".example >> nth=0")
    visitor.page.wait_for_function("document.querySelector('#question textarea').value.includes('drug')")

    visitor.asks(EFFECT)
    visitor.waits_for("#about-reading", "Loading the language model told")
    visitor.waits_for("#about-reading", "Read by told")
    assert "treatment 100%" in visitor.text("#about-reading")  # every other reading stands 9 nats below
    assert "a stand-in was loaded" in visitor.text("#about-reading")
    assert (visitor.says("treatment"), visitor.says("response")) == ("drug", "pain")
    assert not visitor.sees("mediator") and not visitor.sees("conditions") and not visitor.sees("nodes")

    visitor.answers()
    told = visitor.text("#told")
    assert "Worded by the language model told (for tests)" in told
    assert "95 % interval -" in told and "LinearDRLearner" in told and "Assumptions" in told
    visitor.page.wait_for_function("document.querySelector('#plot img')?.naturalWidth > 100")
    assert not visitor.page.is_visible("#diagnostics table")
    visitor.page.click("#diagnostics button")
    visitor.page.wait_for_selector("#diagnostics h3:has-text('balance') + .wide td:has-text('age')")
    record = visitor.downloads()
    assert record["query"] == {
        "task": "ATE",
        "dataset": "trial.csv",
        "treatment": "drug",
        "response": "pain",
        "conditions": [],
    }
    assert -2.4 < record["result"]["estimate"] < -1.6
    assert (record["worded_by"], record["model"]) == ("model", "told (for tests)")

    visitor.page.uncheck("#wording input")
    visitor.chooses("response", "sleep")
    visitor.page.check("#own_covariates input")
    visitor.page.wait_for_selector("#covariates")
    visitor.chooses("covariates", "age")
    visitor.chooses("from_level", "1")
    visitor.chooses("to_level", "0")
    visitor.answers()
    assert "response sleep, comparing 0 with 1, adjusted for age" in visitor.text("#told")
    assert "Worded by the template, not by a language model." in visitor.text("#told")
    assert "read by" not in visitor.text("#told")  # the form was changed by hand
    query = visitor.downloads()["query"]
    assert (query["response"], query["covariates"], query["contrast"]) == ("sleep", ["age"], [1, 0])


def test_conditions_are_text_and_only_the_fields_of_the_task_are_shown(visitor: Visitor, trial: Path) -> None:
    visitor.uploads(trial, "400 rows")
    visitor.asks(SUBGROUP)
    visitor.waits_for("#about-reading", "Read by told")
    assert visitor.says("conditions") == "age >= 50"
    visitor.page.uncheck("#wording input")
    visitor.page.fill("#conditions textarea", "age >= 45 and ward = north")
    visitor.answers()
    assert "where age >= 45, where ward = north" in visitor.text("#told")
    visitor.page.fill("#conditions textarea", "age >= 45 and wrad = north")
    visitor.answers("Did you mean 'ward'")
    visitor.page.fill("#conditions textarea", "age >= 900")
    visitor.answers("No row meets age >= 900")
    assert visitor.text("#told") == ""
    visitor.page.fill("#question textarea", "What about something else?")
    visitor.page.fill("#conditions textarea", "age >= 45")
    visitor.answers()
    assert "the question above has not been read as it stands" in visitor.text("#told")

    visitor.page.check("#task input[value=MA]")
    visitor.page.wait_for_selector("#mediator")
    assert not visitor.sees("conditions")
    visitor.answers("needs mediator")
    visitor.chooses("mediator", "sleep")
    visitor.answers()
    assert "indirect, through sleep" in visitor.text("#told")
    visitor.page.check("#task input[value=CGL]")
    visitor.page.wait_for_selector("#nodes")
    assert not visitor.sees("treatment") and not visitor.sees("own_covariates")
    for name in ("drug", "pain", "age"):
        visitor.chooses("nodes", name)
    visitor.answers()
    assert "CGL, causal graph learning: columns drug, pain, age" in visitor.text("#told")


def test_faults_are_told_in_words(visitor: Visitor, trial: Path, tmp_path: Path) -> None:
    visitor.answers("No data file is open")
    visitor.asks(EFFECT)
    visitor.waits_for("#about-reading", "No data file is open")
    for name, content, said in (
        ("photo.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "has the ending '.png'"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", b"a,b\n", "but no rows"),
    ):
        (tmp_path / name).write_bytes(content)
        visitor.uploads(tmp_path / name, said)
    visitor.uploads(trial, "400 rows")
    visitor.asks("  ")
    visitor.waits_for("#about-reading", "There is no question yet")
    visitor.asks("What is the capital of France?")
    visitor.waits_for("#about-reading", "names no column")
    assert 'Say, for example: "What is the effect of drug on' in visitor.text("#about-reading")
    visitor.page.fill("#question textarea", "Sing.")
    visitor.page.press("#question textarea", "Shift+Enter")
    assert visitor.page.input_value("#question textarea") == "Sing.\n"
    visitor.page.press("#question textarea", "Enter")
    visitor.waits_for("#about-reading", "the question 'Sing.' names no column")
    visitor.answers("needs treatment, response. The question has not been read: press Read first")
    visitor.asks("Does drug change pain or sleep?")  # for this the model has no answer: nobody foresaw it
    visitor.waits_for("#about-reading", "Sorry, that went wrong in a way nobody foresaw (KeyError")
    assert "Traceback" not in visitor.text("body")


def test_another_file_takes_the_old_reading_and_answer_away(visitor: Visitor, trial: Path, tmp_path: Path) -> None:
    visitor.uploads(trial, "400 rows")
    visitor.asks(EFFECT)
    visitor.waits_for("#about-reading", "Read by told")
    visitor.answers()
    other = tmp_path / "other.csv"
    other.write_text("${a},{{b}},<i>c</i>\n" + "".join(f"{row % 2},{row * 0.37:.2f},{row % 5}\n" for row in range(60)))
    visitor.uploads(other, "60 rows")
    assert "${a}" in visitor.text("#about-file") and "{{b}}" in visitor.text("#about-file")
    assert "<i>c</i>" in visitor.text("#about-file")
    visitor.waits_for("#about-reading", "what was read and answered before is cleared")
    assert visitor.says("treatment") == "(choose a column)"
    assert not visitor.sees("plot") and not visitor.sees("download")
    visitor.chooses("treatment", "${a}")
    visitor.chooses("response", "{{b}}")
    visitor.page.uncheck("#wording input")
    visitor.answers()
    assert "effect of ${a} on {{b}}, 0 → 1" in visitor.text("#told")


def test_a_reading_that_ends_after_another_upload_is_not_used(visitor: Visitor, trial: Path, tmp_path: Path) -> None:
    visitor.uploads(trial, "400 rows")
    visitor.asks(LONG)
    visitor.waits_for("#about-reading", "…")
    other = tmp_path / "other.csv"
    other.write_text("drug,pain,z\n" + "".join(f"{row % 2},{row * 0.37:.2f},{row % 5}\n" for row in range(60)))
    visitor.uploads(other, "60 rows")
    time.sleep(2.5)
    assert "cleared" in visitor.text("#about-reading")
    assert visitor.says("treatment") == "(choose a column)"
    visitor.answers("needs treatment, response. The question has not been read")


def test_people_do_not_see_each_others_files(browser: Any, visitor: Visitor, address: str, trial: Path) -> None:
    visitor.uploads(trial, "400 rows")
    other = Visitor(browser, address)
    other.answers("No data file is open")
    assert other.text("#about-file") == ""
    other.page.close()


def test_a_file_over_the_limit_is_refused(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(51 * 2**20)
    visitor.page.set_input_files("#file input[type=file]", path)
    visitor.waits_for("body", "exceed the maximum allowed size of 50.0 Mb")


def test_without_a_model_the_form_is_filled_in_by_hand(browser: Any, trial: Path) -> None:
    with running(free_port(), None) as served:
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        visitor = Visitor(browser, served)
        visitor.uploads(trial, "400 rows")
        assert not visitor.sees("read") and not visitor.sees("question") and not visitor.sees("wording")
        visitor.chooses("treatment", "drug")
        visitor.chooses("response", "pain")
        visitor.answers()
        assert "Worded by the template, not by a language model" in visitor.text("#told")
        assert "Warnings" not in visitor.text("#told")
        visitor.page.set_viewport_size({"width": 390, "height": 844})
        across = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert across == 390  # as wide as a phone; tables scroll by themselves
        assert visitor.downloads()["model"] == "none was used"
        assert visitor.hosts <= {urlparse(served).netloc, ""}
        visitor.page.close()
        assert list(folder.rglob("trial.csv"))
    assert not folder.exists()


def test_a_port_that_is_taken_is_a_clear_error(address: str) -> None:
    port = urlparse(address).port
    taken = CliRunner().invoke(app, ["web", "--port", str(port), "--no-model"])
    assert taken.exit_code == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in taken.output and "--port" in taken.output


@pytest.mark.slow  # ten seconds to import everything anew
def test_the_command_serves_the_page_and_leaves_nothing_behind(trial: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "orchestration.cli", "web", "--port", str(port), "--no-model"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        with trial.open("rb") as file:
            sent = httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", files={"files": file}, trust_env=False)
        assert sent.status_code == 200
        assert list(tmp_path.rglob("trial.csv"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
    assert server.returncode == 0
    assert list(tmp_path.rglob("causalsmith-web-*")) == []


def test_a_request_that_names_another_host_is_refused(address: str) -> None:
    port = urlparse(address).port
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
        assert connection.recv(64).startswith(b"HTTP/1.1 400")


def test_the_command_line_loads_without_the_pages_library() -> None:
    code = (
        "import sys, orchestration.cli, orchestration.web; sys.exit('gradio' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_contradicting_options_and_unknown_models_are_clear_errors() -> None:
    both = CliRunner().invoke(app, ["web", "--no-model", "--model", "tiny"])
    assert both.exit_code == 2 and "say opposite things" in both.output
    unknown = CliRunner().invoke(app, ["web", "--model", "no-such-model"])
    assert unknown.exit_code == 2 and "no language model 'no-such-model'" in unknown.output
