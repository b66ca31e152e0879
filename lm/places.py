"""Where things lie: the home of what is made, and the cache of what can be made again."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import platformdirs

_WITH_PASSWORD = re.compile(r"(?P<scheme>https?://)(?P<name>[^/@:?#]+):(?P<password>[^/]+)@(?P<rest>[^@]*)")


def home() -> Path:
    """Folder of everything this installation makes: ``CAUSALSMITH_HOME``, else ``.causalsmith`` in the checkout.

    Outside a checkout it is the user's data folder.
    """
    if configured := os.environ.get("CAUSALSMITH_HOME"):
        return Path(configured).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "workspace.yaml").exists():
        return checkout / ".causalsmith"
    return Path(platformdirs.user_data_dir("causalsmith"))


def cache() -> Path:
    """Folder of what can be made again from installed packages: ``CAUSALSMITH_CACHE``, else the user's cache folder."""
    if configured := os.environ.get("CAUSALSMITH_CACHE"):
        return Path(configured).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("causalsmith"))


def tracking_uri() -> str:
    """MLflow's tracking and registry address: ``MLFLOW_TRACKING_URI``, else SQLite under :func:`home`.

    MLflow repeats a server's address in its errors and on its pages. So a name and password in it are taken out of it, and put
    into the two variables from which MLflow reads them otherwise.
    """
    address = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home() / 'mlflow' / 'mlflow.db'}"
    if (found := _WITH_PASSWORD.fullmatch(address)) is None:
        return address
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(found["name"])
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(found["password"])
    return f"{found['scheme']}{found['rest']}"


def shown(text: str) -> str:
    """An address, or a text with some, as it may stand in messages, pages and logs: without the passwords in it."""
    hidden = re.sub(r"(://[^/@:?\s]*):\S*@", r"\1:***@", text)
    return re.sub(r"([?&](?:password|token)=)[^&\s]*", r"\1***", hidden, flags=re.IGNORECASE)
