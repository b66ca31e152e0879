"""What the commands share: faults as one message, quiet libraries, JSON on standard output."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


@contextmanager
def clear_errors() -> Iterator[None]:
    """A fault that the user can mend is one message and exit code 2, never a traceback."""
    from pydantic import ValidationError

    from causal_tools.errors import CausalToolsError
    from lm.errors import LanguageModelError
    from sdscm.errors import ScenarioError

    try:
        yield
    except (CausalToolsError, LanguageModelError, ScenarioError) as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(2)
    except ValidationError as error:
        typer.echo(f"QueryError: {'; '.join(problem['msg'] for problem in error.errors())}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"FileError: {error.strerror or error}: {error.filename or ''}", err=True)
        sys.exit(2)


def print_json(content: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, default=str))


def quiet() -> None:
    """Libraries' progress bars and warnings are not for a person who asked a question."""
    import os
    import warnings

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")
