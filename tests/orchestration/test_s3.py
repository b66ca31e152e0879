"""The chain with its data and compute logs in S3, against a moto server on loopback."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import yaml

from assets.storage import FileStore, NotStored
from orchestration.home import instance_file
from orchestration.jobs import SDSCM
from orchestration.settings import PROFILES, Settings
from orchestration.storage import S3Blobs

BUCKET = "causalsmith-test"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(address, timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="module")
def client(endpoint: str):
    found = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    found.create_bucket(Bucket=BUCKET)
    return found


def _names(client) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@pytest.fixture(scope="module")
def settings_file(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "s3.yaml"
    s3 = {"bucket": BUCKET, "endpoint_url": endpoint, "region_name": "us-east-1"}
    path.write_text(yaml.safe_dump({"data": "s3", "s3": s3}), encoding="utf-8")
    return path


def test_a_job_of_ones_own_profile_runs_with_data_and_logs_in_s3_tells_what_it_made_and_finds_it_again(
    run, client, home: Path, settings_file: Path, tmp_path: Path
) -> None:
    content = yaml.safe_load((PROFILES / "tiny.yaml").read_text())
    content["sdscm"] |= {"rows": 120}
    own = tmp_path / "mine.yaml"
    own.write_text(yaml.safe_dump(content))

    def benchmark(*options: str) -> str:
        command = ("orchestration.cli", "run", "benchmark", "--profile", str(own), *options)
        done = run(*command, CAUSALSMITH_SETTINGS=str(settings_file), **KEYS)
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    told = benchmark()
    assert "rows 120" in told and "3 assets made anew, 0 unchanged and reused" in told
    assert all(asset in told for asset in SDSCM.assets)
    again = json.loads(benchmark("--json"))
    assert {(one["asset"], one["reused"]) for one in again["made"]} == {(name, True) for name in SDSCM.assets}
    names = _names(client)
    assert any(
        name.startswith("data/sdscm_benchmark/tiny|toy_confounder/") and name.endswith(".parquet") for name in names
    )
    assert any(name.startswith("compute-logs/") for name in names)
    assert not (home / "data").exists()  # nothing of the assets' data stayed behind on this machine


def test_an_object_has_its_size_and_one_that_is_not_there_none(client) -> None:
    blobs = S3Blobs(client, BUCKET, "sizes")
    blobs.write("there", b"abc")
    assert (blobs.size("there"), blobs.size("not there")) == (3, None)


@pytest.mark.slow
def test_the_tiny_chain_runs_with_data_and_logs_in_s3(
    run, client, home: Path, settings_file: Path, tmp_path: Path
) -> None:
    done = run("orchestration.demo", CAUSALSMITH_SETTINGS=str(settings_file), **KEYS)
    assert done.returncode == 0, done.stdout + done.stderr
    names = _names(client)
    assert any(name.startswith("data/assistant_adapter/mixed/") and name.endswith(".safetensors") for name in names)
    assert not any(name.endswith((".pkl", ".pickle")) for name in names)
    assert not (home / "data").exists()  # nothing of the assets' data stayed behind on this machine
    store = FileStore(S3Blobs(client, BUCKET, "data"), tmp_path)
    assert (store.get("assistant_adapter", "mixed") / "adapter_config.json").exists()
    assert len(store.get("retrieval_corpus")) > 12
    with pytest.raises(NotStored, match="materialize it first"):
        store.get("no_such_asset")


def test_one_settings_file_sets_data_and_compute_logs(settings_file: Path) -> None:
    settings = Settings.model_validate(yaml.safe_load(settings_file.read_text(encoding="utf-8")))
    logs = instance_file(settings)["compute_logs"]
    assert logs["class"] == "S3ComputeLogManager"
    assert logs["config"]["bucket"] == BUCKET
    assert "compute_logs" not in instance_file(Settings())


def test_s3_without_a_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a section s3"):
        Settings.model_validate({"data": "s3"})
