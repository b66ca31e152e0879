"""Adapters in MLflow's registry: which version stands behind a name or alias, and its files on this machine."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm.errors import ModelNotFound, RegistryDown
from lm.places import cache, shown, tracking_uri

ASSISTANT_MODEL = "causalsmith-assistant"
CHAMPION, CHALLENGER = "champion", "challenger"
SHIPPED = Path(__file__).parent / "assistant"
MODEL_FILE, ADAPTER_FILE = "config.json", "adapter_config.json"  # by which a saved model and an adapter are known
MLFLOW_FILE = "MLmodel"


@dataclass(frozen=True)
class RegisteredModel:
    """One registered version and the folder that holds its files."""

    name: str
    version: str
    alias: str | None
    folder: Path


def find_registered(uri: str) -> RegisteredModel:
    """Download (once) what an MLflow URI such as ``models:/causalsmith-assistant@champion`` points at.

    Raises:
        ModelNotFound: no registry, no such model, or no such alias.
        RegistryDown: it does not answer, or does not give the files of what it knows.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException

    name, _, alias = uri.removeprefix("models:/").partition("@")
    if not _registry_exists():
        raise ModelNotFound(f"no model registry at {shown(tracking_uri())}: nothing has been registered yet")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    client = _client()
    try:
        if alias:
            version = client.get_model_version_by_alias(name, alias)
        else:
            name, _, number = name.partition("/")
            version = client.get_model_version(name, number)
    except MlflowException as error:
        if not is_absent(error):
            raise RegistryDown(
                shown(f"the model registry at {tracking_uri()} does not answer: {error.message}")
            ) from None
        raise ModelNotFound(f"no registered model {uri!r} at {shown(tracking_uri())}: {error.message}") from None
    except _faults_of_a_store() as error:
        raise _unreadable(error) from None
    folder = cache() / "registry" / name / f"{version.version}-{version.run_id}"
    if not folder.exists():
        _fetch(f"models:/{name}/{version.version}", folder)
    return RegisteredModel(name, str(version.version), alias or None, folder)


def _client() -> Any:
    """The registry's client.

    Raises:
        RegistryDown: its database cannot be opened: the file is damaged, the driver is missing, or the address is no registry's.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return mlflow.MlflowClient(tracking_uri=tracking_uri(), registry_uri=tracking_uri())
    except (MlflowException, *_faults_of_a_store()) as error:
        raise _unreadable(error) from None


def _faults_of_a_store() -> tuple[type[Exception], ...]:
    """What a database beneath the registry raises, which MLflow lets through."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError, ImportError


def _unreadable(error: Exception) -> RegistryDown:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return RegistryDown(shown(f"the model registry at {tracking_uri()} cannot be opened: {first}"))


def _fetch(uri: str, folder: Path) -> None:
    """Download a version's files into a folder of this machine: it is there whole or not at all.

    Raises:
        RegistryDown: they cannot be fetched. What is known to be there must not pass for what is not.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    mlflow.set_tracking_uri(
        tracking_uri()
    )  # a models:/ address is looked up at the global addresses, whatever is passed
    mlflow.set_registry_uri(tracking_uri())
    try:
        mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(scratch / "files"))
        if not folder.exists():
            (scratch / "files").rename(folder)
    except (MlflowException, OSError) as error:
        if not folder.exists():  # another process finished first otherwise
            raise RegistryDown(
                shown(f"the files of {uri!r} cannot be fetched from {tracking_uri()}: {error}")
            ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def find_assistant() -> RegisteredModel | None:
    """The tuned assistant in use: the registry's champion, else the adapter that comes with the project.

    Raises:
        RegistryDown: whether there is a champion cannot be told, or its files cannot be fetched.
    """
    if _registry_exists():
        try:
            return find_registered(f"models:/{ASSISTANT_MODEL}@{CHAMPION}")
        except RegistryDown:
            raise
        except ModelNotFound:
            pass
    shipped = shipped_adapter()
    return RegisteredModel(ASSISTANT_MODEL, "shipped with the project", None, shipped) if shipped else None


def shipped_adapter() -> Path | None:
    """The adapter that comes with the project, if this copy has it."""
    return SHIPPED if (SHIPPED / ADAPTER_FILE).exists() else None


def adapter_in(folder: Path) -> Path | None:
    """The LoRA adapter's folder: this one, or in a folder that MLflow has made the one among its artifacts.

    Raises:
        ModelNotFound: MLflow's folder holds several.
    """
    if (folder / ADAPTER_FILE).exists():
        return folder
    found = sorted(folder.glob(f"artifacts/*/{ADAPTER_FILE}")) if (folder / MLFLOW_FILE).exists() else []
    if len(found) > 1:
        raise ModelNotFound(f"{folder} holds several adapters, name one: {', '.join(str(one.parent) for one in found)}")
    return found[0].parent if found else None


def require_model(folder: Path) -> None:
    """Refuse a folder that is no model's; what lies deeper is not taken, as nobody named it.

    Raises:
        ModelNotFound: it holds neither a saved model nor an adapter; with the folders in it that do.
    """
    if (folder / MODEL_FILE).exists() or adapter_in(folder) is not None:
        return
    inner = sorted({str(path.parent) for name in (MODEL_FILE, ADAPTER_FILE) for path in folder.glob(f"*/{name}")})
    raise ModelNotFound(
        f"no model in the folder {folder}: it holds neither a saved model ({MODEL_FILE}) nor an adapter ({ADAPTER_FILE})"
        + (f". There is one in: {', '.join(inner[:5])}" if inner else "")
    )


def is_absent(error: Any) -> bool:
    """Whether MLflow's registry says that there is no such model, version or alias; otherwise it could not tell."""
    return error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "NOT_FOUND")


def _registry_exists() -> bool:
    uri = tracking_uri()
    return not uri.startswith("sqlite:///") or Path(uri.removeprefix("sqlite:///")).exists()
