"""`causalsmith web`: the page on 127.0.0.1, until interrupted; nothing leaves the machine, and uploads go when it ends."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from causal_tools.errors import CausalToolsError
from orchestration.ending import when_told_to_end
from orchestration.web_model import SharedModel

HOST = "127.0.0.1"  # the page asks nobody who they are
MOST_SESSIONS = 40  # each may hold a table in memory; the one longest unused is let go
OFFLINE = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_NUM_WORKERS": "0"}


class PortTaken(CausalToolsError):
    """Another program listens where the page should."""


def serve(port: int, model: SharedModel | None) -> None:
    """Serve the page until Ctrl-C, SIGTERM, or the terminal is closed.

    Raises:
        PortTaken: another program listens on the port.
    """
    ended = threading.Event()
    with running(port, model) as address:
        when_told_to_end(ended.set)
        reads = f"the language model {model.name} reads questions" if model is not None else "no language model"
        typer.echo(f"Causalsmith: {address}   ({reads}; Ctrl-C ends it)")
        sys.stdout.flush()
        try:
            while not ended.wait(1.0):
                pass
        except KeyboardInterrupt:
            return


@contextmanager
def running(port: int, model: SharedModel | None) -> Iterator[str]:
    """The page's address while it is served, from a thread of its own.

    Raises:
        PortTaken: another program listens on the port.
    """
    require_free(port)
    folder = tempfile.mkdtemp(prefix="causalsmith-web-")
    before = _set({**OFFLINE, "GRADIO_TEMP_DIR": folder, "NO_PROXY": _without_proxy(), "no_proxy": _without_proxy()})
    try:
        page = _launch(port, model)
        try:
            yield f"http://{HOST}:{port}"
        finally:
            page.close(verbose=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _set(before)


def require_free(port: int) -> None:
    """Refuse a port that is taken.

    Raises:
        PortTaken: another program listens on it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} on {HOST} cannot be used ({error.strerror}). Another program may listen there; "
                f"choose another port, such as --port {port + 1 if port < 65535 else port - 1}"
            ) from error


def _launch(port: int, model: SharedModel | None) -> Any:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from orchestration.web_look import CSS, theme
    from orchestration.web_page import build_page
    from orchestration.web_steps import MOST_MEGABYTES

    page = build_page(model)
    only_here = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    page.launch(
        server_name=HOST,
        server_port=port,
        share=False,
        inbrowser=False,
        prevent_thread_lock=True,
        quiet=True,
        show_error=True,
        max_file_size=f"{MOST_MEGABYTES}mb",
        state_session_capacity=MOST_SESSIONS,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        app_kwargs={"middleware": [only_here]},
        theme=theme(),
        css=CSS,
    )
    return page


def _without_proxy() -> str:
    """The hosts asked directly, with this machine: the server is tried once at its own address when it starts."""
    set_before = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return ",".join(filter(None, [set_before, HOST, "localhost"]))


def _set(variables: dict[str, str | None] | dict[str, str]) -> dict[str, str | None]:
    """Set variables of the environment; what they were."""
    before = {name: os.environ.get(name) for name in variables}
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return before
