"""Against a real Label Studio server on loopback: tasks out, judgements in, nothing twice.

The server wants an environment of its own: ``CAUSALSMITH_LABEL_STUDIO`` names its executable, else it is installed into a
temporary one, which takes minutes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.agreement import adjudicate, adjudication_tasks
from training.annotation import annotation_tasks
from training.annotation_fields import entries_from_query
from training.annotation_inbox import read_inbox
from training.errors import AnnotationServerError
from training.label_studio import KEY_VARIABLE, AnnotationServer, save_export
from training.queries import make_queries
from training.topic_library import load_topics

VERSION = "1.23.2"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
TITLE = "Causalsmith questions"
ITEMS = [item for task in ("ATE", "HTE", "NONE") for item in make_queries(task, 2, 5, load_topics()[:5])]


def test_without_a_key_or_a_server_the_error_says_what_to_do(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(AnnotationServerError, match=f"set {KEY_VARIABLE}"):
        AnnotationServer("http://127.0.0.1:9").fetch(TITLE)
    monkeypatch.setenv(KEY_VARIABLE, TOKEN)
    with pytest.raises(AnnotationServerError, match="cannot be reached"):
        AnnotationServer("http://127.0.0.1:9").fetch(TITLE)


def _executable(folder: Path) -> str:
    if configured := os.environ.get("CAUSALSMITH_LABEL_STUDIO"):
        return configured
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", f"label-studio=={VERSION}"], check=True)
    return str(folder / "bin" / "label-studio")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("label_studio")
    executable = _executable(folder / "venv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder / "data"),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "HOME": str(folder),
    }
    command = [
        executable, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port), "--username",
        "a@example.org", "--password", "a-password", "--user-token", TOKEN, "--data-dir", str(folder / "data"),
    ]  # fmt: skip
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert process.poll() is None, (folder / "log").read_text()[-2000:]
                time.sleep(1)
        else:
            raise AssertionError((folder / "log").read_text()[-2000:])
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _judge(address: str, verdicts: dict[str, str], fetch) -> None:
    """An annotator of the server: accepts or rejects each task by its item's id."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=address, api_key=TOKEN)
    for task in fetch(client):
        verdict = verdicts.get(task["meta"]["item_id"])
        if verdict is None:
            continue
        item = task["data"]["item"]
        result = entries_from_query(item["task"], item["query"]) if verdict == "accept" else []
        result.append(
            {"from_name": "verdict", "to_name": "question", "type": "choices", "value": {"choices": [verdict]}}
        )
        if verdict == "reject":
            result.append(
                {"from_name": "reason", "to_name": "question", "type": "textarea", "value": {"text": ["unclear"]}}
            )
        client.annotations.create(id=task["id"], result=result)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_tasks_go_out_once_and_judgements_come_back_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, TOKEN)
    annotation_server = AnnotationServer(server)
    with pytest.raises(AnnotationServerError, match="has no project 'Causalsmith questions'"):
        annotation_server.fetch(TITLE)
    tasks = annotation_tasks(ITEMS, {"seed": "5"})
    assert annotation_server.send(TITLE, tasks[:4]) == 4
    assert annotation_server.send(TITLE, tasks) == 2  # the first four are there
    assert annotation_server.send(TITLE, tasks) == 0
    assert annotation_server.fetch(TITLE) == []  # nobody has judged yet

    def project_tasks(client):
        project = next(found.id for found in client.projects.list() if found.title == TITLE)
        return client.projects.exports.as_json(project)

    ids = [item.id for item in ITEMS]
    _judge(server, dict.fromkeys(ids[:4], "accept"), project_tasks)
    _judge(server, {ids[4]: "reject", ids[0]: "reject"}, project_tasks)
    export = annotation_server.fetch(TITLE)
    assert len(export) == 5
    saved = save_export(export, tmp_path / "inbox")
    assert json.loads(saved.read_text(encoding="utf-8")) == export
    report = read_inbox(tmp_path / "inbox")
    assert report.rejected == ()
    assert {found.item.id for found in report.items} == set(ids[:5])
    assert {found.provenance["seed"] for found in report.items} == {"5"}
    save_export(annotation_server.fetch(TITLE), tmp_path / "inbox")
    assert read_inbox(tmp_path / "inbox").items == report.items  # fetched twice, imported once
    accepted = {found.item_id for found in report.items if found.verdict == "accept"}
    assert set(ids[1:4]) <= accepted
    settled = adjudicate(report.items)
    assert {item.id for item in settled.settled} >= set(ids[1:4])
    waiting = adjudication_tasks(settled.disputed)
    if waiting:
        assert annotation_server.send(f"{TITLE}: disputes", waiting, annotators=1) == len(waiting)
