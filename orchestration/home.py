"""The Dagster home: a folder under :func:`lm.places.home` with an instance file made from ``dagster.yaml`` and the settings."""

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lm.places import home
from orchestration.settings import CHECKOUT, Settings, chosen_settings

if TYPE_CHECKING:
    import dagster as dg


def instance_file(settings: Settings) -> dict[str, Any]:
    """The instance's configuration: the project's ``dagster.yaml``, with compute logs in S3 where the settings say so."""
    content: dict[str, Any] = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text(encoding="utf-8"))
    if settings.data == "s3" and settings.s3 is not None:
        s3 = settings.s3
        content["compute_logs"] = {
            "module": "dagster_aws.s3.compute_log_manager",
            "class": "S3ComputeLogManager",
            "config": {
                "bucket": s3.bucket,
                "prefix": s3.log_prefix,
                "upload_interval": 10,
                **({"endpoint_url": s3.endpoint_url} if s3.endpoint_url else {}),
                **({"region": s3.region_name} if s3.region_name else {}),
            },
        }
    return content


def prepare_dagster_home() -> Path:
    """Write the instance file and point ``DAGSTER_HOME`` at its folder; an existing ``DAGSTER_HOME`` is left alone."""
    if configured := os.environ.get("DAGSTER_HOME"):
        return Path(configured)
    folder = home() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=folder, prefix=".dagster.yaml.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(instance_file(chosen_settings()), file, sort_keys=False)
    Path(scratch).replace(folder / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def open_instance() -> "dg.DagsterInstance":
    """The Dagster instance of the home, which is made where there is none.

    Of two processes that come first at once the second waits: Dagster would have both make its tables, and one would fail.
    """
    from dagster import DagsterInstance
    from filelock import FileLock

    folder = prepare_dagster_home()
    with FileLock(folder / "instance.lock"):
        return DagsterInstance.get()


if __name__ == "__main__":
    print(prepare_dagster_home())  # noqa: T201 - the Makefile reads it
