"""Which process something goes on in, as text to keep beside it, and whether that process is gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

CLOCK_SECONDS = 60.0  # by which two readings of a process's beginning may differ: they follow the clock of the host
_NAMESPACE = Path("/proc/self/ns/pid")  # containers of one host number their processes apart


def current_process() -> str:
    """This process: host, id and beginning."""
    return f"{_host()}|{os.getpid()}|{psutil.Process().create_time():.2f}"


def _host() -> str:
    """This machine, or the container within it."""
    within = _NAMESPACE.readlink() if _NAMESPACE.exists() else ""
    return f"{socket.gethostname()} {within}".strip()


def is_gone(process: str) -> bool:
    """Whether a process of this host has ended; of other hosts nothing is known, so it has not."""
    host, number, began = process.split("|")
    if host != _host():
        return False
    try:
        found = psutil.Process(int(number))
        return found.status() == psutil.STATUS_ZOMBIE or abs(found.create_time() - float(began)) > CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
