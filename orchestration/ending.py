"""When a server of ours is told to end."""

from __future__ import annotations

import signal
from collections.abc import Callable


def when_told_to_end(then: Callable[[], object]) -> None:
    """What to do on SIGTERM, and when the terminal is closed, unless that shall not matter (``nohup``)."""
    kinds = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        kinds.append(signal.SIGHUP)
    for kind in kinds:
        signal.signal(kind, lambda *_: then())
