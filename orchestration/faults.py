"""What the commands share: faults as one message, quiet libraries, JSON on standard output."""

import json
import math
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

_OURS = r"(sdscm|lm|causal_tools|training|validation|assets|orchestration)(\.|$)"  # modules whose warnings are shown
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}  # unless set; a night has more


class FileError(Exception):
    """A place where no file can be written."""


@contextmanager
def clear_errors() -> Iterator[None]:
    """A fault that the user can mend is one message and exit code 2, never a traceback."""
    from pydantic import ValidationError

    from assets.errors import SettingsError
    from causal_tools.errors import CausalToolsError
    from lm.errors import LanguageModelError
    from sdscm.errors import ScenarioError
    from training.errors import AnnotationServerError

    try:
        yield
    except (
        CausalToolsError,
        LanguageModelError,
        ScenarioError,
        AnnotationServerError,
        SettingsError,
        FileError,
    ) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(2)
    except ValidationError as error:
        typer.echo(f"QueryError: {'; '.join(problem['msg'] for problem in error.errors())}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"FileError: {error.strerror or error}: {error.filename or ''}", err=True)
        sys.exit(2)
    except MemoryError as error:
        typer.echo(
            f"OutOfMemory: this needs more memory than there is ({error or 'no more is told'}); "
            f"try fewer rows, or a smaller file",
            err=True,
        )
        sys.exit(2)
    except Exception as error:
        if (told := _of_a_service(error)) is not None:
            typer.echo(told, err=True)
            sys.exit(2)
        if os.environ.get("CAUSALSMITH_TRACEBACK"):
            raise
        typer.echo(
            f"sorry, that went wrong in a way nobody foresaw ({type(error).__name__}: {error}). "
            "With CAUSALSMITH_TRACEBACK=1 it is shown where; please report it",
            err=True,
        )
        sys.exit(1)


def _of_a_service(error: Exception) -> str | None:
    """What to say where the store of assets or the registry does not serve us; None of any other fault.

    Told by the module of the fault: importing the libraries takes seconds.
    """
    from lm.places import shown

    library = type(error).__module__.partition(".")[0]
    if library == "botocore":
        return (
            f"StoreError: the S3 store of the settings file does not serve us: {shown(str(error))}. Its address and bucket "
            "stand in the file that CAUSALSMITH_SETTINGS names, the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if library == "assets":
        return f"StoreError: {error}"
    if library == "mlflow":
        return f"RegistryError: the registry that MLFLOW_TRACKING_URI names does not serve us: {shown(str(error))}"
    if library == "sqlalchemy":
        why = shown(str(error).partition("\n")[0])
        return (
            f"DatabaseError: the database of the registry (MLFLOW_TRACKING_URI) or of Dagster does not serve us: {why}"
        )
    return None


def to_json(content: Any, indent: int | None = None) -> str:
    """JSON as its standard has it: what is not a number (NaN, infinities) becomes null, NumPy's numbers become plain ones."""
    return json.dumps(_plain(content), ensure_ascii=False, indent=indent, default=str, allow_nan=False)


def print_json(content: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(to_json(content, indent=2))


def quiet() -> None:
    """Libraries' progress bars and warnings are not for a person who asked a question; our own warnings are, a line each.

    Nor are the four minutes for which MLflow tries a server that does not listen, or the twenty for one that is silent.
    """
    for name, value in {"TOKENIZERS_PARALLELISM": "false", **PATIENCE}.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore")
    warnings.filterwarnings("default", category=UserWarning, module=_OURS)
    warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"Warning: {message}", err=True)


def _plain(content: Any) -> Any:
    import numpy as np

    if isinstance(content, Mapping):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, np.ndarray):
        return _plain(content.tolist())
    if isinstance(content, np.generic):
        content = content.item()
    return None if isinstance(content, float) and not math.isfinite(content) else content
