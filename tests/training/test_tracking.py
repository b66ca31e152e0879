"""Runs and registered versions on a real MLflow registry in a temporary SQLite file."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from lm import ModelNotFound, load_language_model
from lm.errors import RegistryDown
from lm.registry import CHALLENGER, CHAMPION, find_assistant
from lm.tiny import tiny_model
from training.processes import current_process
from training.tracking import OVER_TAG, ROLLED_BACK_TAG, ChampionChanged, Tracking, Version


def _adapter(folder, seed: int):
    from peft import LoraConfig, get_peft_model

    model, _ = tiny_model()
    torch.manual_seed(seed)
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    tuned.save_pretrained(folder)
    (folder / "base_model.json").write_text(json.dumps({"base": "tiny"}))
    return folder


@pytest.fixture(scope="module")
def tracking(tmp_path_factory, new_cache):
    folder = tmp_path_factory.mktemp("mlflow")
    one = Tracking(f"sqlite:///{folder / 'deep' / 'mlflow.db'}", (folder / "artifacts").as_uri())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", one.uri)
        patch.setenv("CAUSALSMITH_CACHE", str(new_cache()))
        patch.setenv("CAUSALSMITH_HOME", str(folder / "home"))
        yield one


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    return [_adapter(folder / str(seed), seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def versions(tracking, adapters) -> list[Version]:
    made = []
    for number, adapter in enumerate(adapters):
        run = tracking.start_run(f"run {number}", {"steps": 4}, {"kind": "test"})
        with tracking.finishing(run):
            made.append(tracking.register(adapter, f"digest-{number}", run, {"share": "0.5"}))
    return made


def _scores(lm) -> np.ndarray:
    return lm.score(["The weather is"], [["good", "bad"]])[0]


def test_each_adapter_is_a_version_with_its_run_and_tags(versions, tracking):
    assert [one.version for one in versions] == ["1", "2"]
    assert versions[0].run_id != versions[1].run_id
    assert versions[0].tags["share"] == "0.5"
    run = tracking.client().get_run(versions[0].run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"steps": "4"}
    assert tracking.version_of_adapter("digest-1").version == "2"
    assert tracking.version_of_adapter("digest-9") is None


def test_registering_an_adapter_twice_gives_one_version(versions, tracking, adapters):
    again = tracking.register(adapters[0], "digest-0", versions[0].run_id, {})
    assert again.version == "1"
    assert len(tracking.client().search_model_versions("name = 'causalsmith-assistant'")) == 2
    assert tracking.version_at(CHALLENGER).version == "1"  # what was registered last is the challenger
    tracking.register(adapters[1], "digest-1", versions[1].run_id, {})
    assert tracking.version_at(CHALLENGER).version == "2"


def test_a_registered_challenger_loads_with_its_adapter_on_its_base(versions, adapters):
    lm = load_language_model("models:/causalsmith-assistant@challenger", device="cpu")
    direct = load_language_model("tiny", adapter=adapters[1], device="cpu")
    assert np.allclose(_scores(lm), _scores(direct), atol=1e-6)
    assert lm.name == "models:/causalsmith-assistant@challenger on tiny"
    by_number = load_language_model("models:/causalsmith-assistant/1", device="cpu")
    assert np.allclose(
        _scores(by_number), _scores(load_language_model("tiny", adapter=adapters[0], device="cpu")), atol=1e-6
    )


def test_promotion_moves_the_champion_and_its_alias_can_be_moved_back(versions, tracking):
    assert tracking.version_at(CHAMPION) is None
    assert find_assistant().version == "shipped with the project"  # a challenger is not used before it has won
    tracking.promote(versions[0], over="", reason="better")
    assert tracking.version_at(CHAMPION).version == "1"
    tracking.promote(versions[1], over="1", reason="better still" * 1000)
    assert tracking.version_at(CHAMPION).version == "2"
    assert tracking.version_at(CHAMPION).tags[OVER_TAG] == "1"
    assert (find_assistant().version, find_assistant().alias) == ("2", CHAMPION)
    with pytest.raises(ChampionChanged, match="compared with version 1, but now version 2 is champion"):
        tracking.promote(versions[0], over="1", reason="by an older comparison")
    before, now = tracking.roll_back("misreads doses")
    assert (before.version, now.version) == ("2", "1")
    assert tracking.versions()[0].tags[ROLLED_BACK_TAG] == "misreads doses"
    assert find_assistant().version == "1"
    assert "version 1 (champion)" in load_language_model("assistant", device="cpu").name
    assert tracking.roll_back("neither")[1] is None  # it had replaced none
    assert find_assistant().version == "shipped with the project"
    with pytest.raises(LookupError, match="no champion"):
        tracking.roll_back("once more")


@pytest.mark.parametrize(
    ("over", "rolled_back", "there", "now"),
    [
        ({"3": "2", "2": "1"}, "", "123", "2"),
        ({"3": "2", "2": "1"}, "2", "123", "1"),  # the one before was rolled back before it came again
        ({"3": "2", "2": "3"}, "2", "123", None),  # each has replaced the other
        ({"3": "2", "2": "1"}, "", "13", None),  # deleted from the registry
        ({}, "", "123", None),
    ],
)
def test_a_champion_gives_way_to_the_last_version_that_still_stands(
    tmp_path, monkeypatch, over, rolled_back, there, now
):
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path))
    known = [
        Version(
            "model", one, "run", {OVER_TAG: over.get(one, "")} | ({ROLLED_BACK_TAG: "x"} if one in rolled_back else {})
        )
        for one in there
    ]
    done = []
    client = SimpleNamespace(
        set_model_version_tag=lambda *given: done.append(given[1:]),
        set_registered_model_alias=lambda *given: done.append(given[1:]),
        delete_registered_model_alias=lambda *given: done.append((given[1], None)),
    )
    monkeypatch.setattr(Tracking, "client", lambda _: client)
    monkeypatch.setattr(Tracking, "versions", lambda *_: known)
    monkeypatch.setattr(Tracking, "version_at", lambda *_: known[-1])
    Tracking("", "").roll_back("misreads doses", "model")
    assert done == [("3", ROLLED_BACK_TAG, "misreads doses"), (CHAMPION, now)]


def test_of_two_promotions_at_once_the_second_finds_another_champion(tmp_path, monkeypatch):
    """Each looks which version is champion before either has moved the alias, unless it waits for the other."""
    monkeypatch.setenv("CAUSALSMITH_HOME", str(tmp_path / "home"))
    champion: list[str] = []

    class Registry:
        def set_model_version_tag(self, *_: object) -> None:
            time.sleep(0.3)

        def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
            champion.append(version)

    monkeypatch.setattr(Tracking, "client", lambda _: Registry())
    monkeypatch.setattr(
        Tracking, "version_at", lambda *_: Version("model", champion[-1], "run", {}) if champion else None
    )

    def promote(number: str) -> bool:
        try:
            Tracking("", "").promote(Version("model", number, "run", {}), over="", reason="better")
        except ChampionChanged:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(promote, "12"))
    assert sorted(done) == [False, True]
    assert len(champion) == 1


@pytest.mark.parametrize("name", ["models:/causalsmith-assistant@nobody", "models:/causalsmith-assistant/99",
                                  "models:/elsewhere@champion", "models:/causalsmith-assistant"])  # fmt: skip
def test_a_version_that_is_not_registered_is_told(versions, name):
    with pytest.raises(ModelNotFound, match="no registered model"):
        load_language_model(name)


def test_a_run_that_breaks_is_marked_failed(tracking):
    run = tracking.start_run("broken", {}, {})
    with pytest.raises(KeyboardInterrupt), tracking.finishing(run):
        raise KeyboardInterrupt
    assert tracking.client().get_run(run).info.status == "FAILED"


def test_a_server_that_is_down_does_not_hide_why_a_run_broke(monkeypatch):
    class Down:
        def set_terminated(self, *_: object) -> None:
            raise OSError("no route to http://me:s3cret@mlflow")

    monkeypatch.setattr(Tracking, "client", lambda _: Down())
    with pytest.raises(MemoryError, match="too large") as found, Tracking("", "").finishing("run 1"):
        raise MemoryError("too large")
    assert "run 1 could not be marked as failed: no route to" in found.value.__notes__[0]
    assert "s3cret" not in found.value.__notes__[0]


def test_a_run_whose_process_was_killed_is_closed_when_the_next_begins(tracking, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host = current_process().split("|")[0]
    there = f"{host}|{process.pid}|{psutil.Process(process.pid).create_time():.2f}"
    with monkeypatch.context() as patch:
        patch.setattr("training.tracking.current_process", lambda: there)
        killed = tracking.start_run("killed", {}, {})
    alive = tracking.start_run("alive", {}, {})
    status = tracking.client().get_run
    assert status(killed).info.status == "RUNNING"
    process.kill()
    process.wait()
    tracking.start_run("next", {}, {})
    assert [status(run).info.status for run in (killed, alive)] == ["KILLED", "RUNNING"]


def test_the_served_model_reads_questions_into_queries(versions, adapters, monkeypatch):
    import pandas as pd
    from mlflow.pyfunc import PythonModelContext

    from causal_tools.contract import CausalQuery
    from causal_tools.serving import AssistantModel

    served = AssistantModel()
    context = PythonModelContext({"adapter": str(adapters[0])}, None)
    served.load_context(context)
    answers = served.predict(
        context,
        pd.DataFrame(
            {
                "question": ["What is the effect of smoker on fev1?", " ", "What is the effect of a on b?"],
                "columns": ["smoker, fev1, age", '["a", "b"]', "[a, b"],
            }
        ),
    )
    first, second, third = map(json.loads, answers)
    assert "error" in first or set(CausalQuery.model_validate(first).columns()) <= {"smoker", "fev1", "age"}
    assert "question is empty" in second["error"]
    assert "JSON list" in third["error"]
    monkeypatch.setattr(served, "_answer", lambda fields: {"question": fields["question"][1]})
    short, long = served.predict(context, pd.DataFrame({"question": ["a", "ab"]}))
    assert "IndexError" in json.loads(short)["error"] and json.loads(long) == {"question": "b"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mlflow_serves_the_assistant_over_http(versions, tracking, tmp_path):
    import os
    import socket
    import subprocess
    import sys
    import time
    import urllib.request

    import numpy as np
    import pandas as pd

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/causalsmith-assistant/{versions[0].version}",
               "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]  # fmt: skip
    log = (tmp_path / "serve.log").open("wb")
    path = os.pathsep.join(
        (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    )  # mlflow calls uvicorn by name
    settings = {**os.environ, "MLFLOW_TRACKING_URI": tracking.uri, "PATH": path}
    server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=settings)

    def ask(**fields: str) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            json.dumps({"dataframe_records": [fields]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.loads(json.loads(reply.read())["predictions"][0])

    try:
        for _ in range(240):
            if server.poll() is not None:
                raise AssertionError((tmp_path / "serve.log").read_text()[-3000:])
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        random = np.random.default_rng(0)
        drug = random.integers(0, 2, 200)
        table = pd.DataFrame({"drug": drug, "pain": 2 * drug + random.normal(size=200)}).to_csv(index=False)
        question = "What is the effect of drug on pain?"
        given = ask(question=question, data=table, dataset="trial.csv")
        # random weights may read anything; whatever they read of these two columns is answered, or refused in words
        if "error" not in given:
            assert given["result"]["n_rows"] == 200 and "trial.csv" in given["explanation"]
        assert "no causal question" in given.get("error", "") or "error" not in given or "column" in given["error"]
        assert "only one column" in ask(question=question, data="drug\n1\n")["error"]
        assert "question is empty" in ask(question=" ", columns="a, b")["error"]
    finally:
        if server.poll() is None:
            os.killpg(server.pid, 15)
        server.wait(timeout=20)
        log.close()


def test_a_registry_that_does_not_answer_is_not_one_without_a_champion(tmp_path, monkeypatch):
    from mlflow.exceptions import MlflowException

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(MlflowException):
        Tracking("http://127.0.0.1:9", "").version_at(CHAMPION)
    with pytest.raises(RegistryDown, match="does not answer"):
        find_assistant()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("sqlite:///{folder}/mlflow.db", "file is not a database"),
        ("postgresql+pg8000://me:s3cret@127.0.0.1:9/mlflow", "pg8000"),
        ("weird://x", "unsupported URI"),
    ],
)
def test_a_registry_that_cannot_be_opened_is_told_as_one_that_is_down(address, told, tmp_path, monkeypatch):
    """A damaged file, or a database whose driver is not installed: the adapter that comes with the project stands in."""
    (tmp_path / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"torn" * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address.format(folder=tmp_path))
    monkeypatch.setitem(sys.modules, "pg8000", None)  # as where it is not installed
    monkeypatch.setattr("mlflow.store.db.utils.MAX_RETRY_COUNT", 1)  # it tries again for minutes
    with pytest.raises(RegistryDown, match=f"cannot be opened.*{told}") as found:
        find_assistant()
    assert "s3cret" not in str(found.value)


def test_a_champion_whose_files_cannot_be_fetched_is_not_replaced_by_the_shipped_adapter(
    tracking, versions, tmp_path, monkeypatch
):
    """A store of artifacts that is down, or a full disk: answers would come from another model, and nobody would know."""

    def no_space(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("CAUSALSMITH_CACHE", str(tmp_path))
    tracking.client().set_registered_model_alias(versions[0].name, CHAMPION, versions[0].version)
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.artifacts.download_artifacts", no_space)
        with pytest.raises(RegistryDown, match=r"cannot be fetched.*No space left"):
            find_assistant()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert find_assistant().version == versions[0].version


def test_an_adapter_tuned_before_the_server_was_chosen_is_registered_all_the_same(tracking, adapters, tmp_path):
    """Its run is in another registry, or in one that was deleted; tuning it again for that would take hours."""
    elsewhere = tracking.start_run("tuned here", {}, {})
    other = Tracking(f"sqlite:///{tmp_path / 'mlflow.db'}", (tmp_path / "artifacts").as_uri())
    version = other.register(adapters[0], "digest-0", elsewhere, {"share": "0.5"})
    assert (version.version, version.tags["share"]) == ("1", "0.5")
    assert version.run_id != elsewhere
    run = other.client().get_run(version.run_id)
    assert run.data.tags["causalsmith.tuned_in_run"] == elsewhere
    assert run.info.status == "FINISHED"


class _Client:
    """A registry where another run makes the experiment between our look and our making it."""

    def __init__(self, comes_first: bool) -> None:
        self.comes_first, self.made = comes_first, []

    def get_experiment_by_name(self, _):
        return SimpleNamespace(experiment_id="7") if self.made else None

    def create_experiment(self, name, place):
        from mlflow.exceptions import RestException

        self.made.append((name, place))
        if self.comes_first:
            raise RestException({"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there already"})
        return "8"


def test_of_two_that_open_a_new_file_at_once_one_waits(tmp_path, monkeypatch):
    """MLflow would have each make the tables, and the second failed."""
    inside, met = threading.Lock(), []

    def client(**_: object) -> None:
        met.append(not inside.acquire(blocking=False))
        time.sleep(0.2)
        if not met[-1]:
            inside.release()

    monkeypatch.setattr("mlflow.MlflowClient", client)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: Tracking(f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}", "").client(), range(2)))
    assert met == [False, False]


def test_of_two_first_runs_at_once_each_finds_the_experiment():
    assert Tracking("sqlite:///x", "here")._experiment_id(_Client(comes_first=True)) == "7"


@pytest.mark.parametrize(("uri", "place"), [("sqlite:///x", "here"), ("https://mlflow.example", None)])
def test_a_servers_artifacts_lie_where_the_server_puts_them(uri, place):
    """A folder of this machine would be in the server's books, and no other machine could fetch a model."""
    client = _Client(comes_first=False)
    assert Tracking(uri, "here")._experiment_id(client) == "8"
    assert client.made == [("causalsmith", place)]
