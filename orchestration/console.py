"""What a person at a terminal sees of a run: one short line a message, with the time since the start."""

import logging
import sys
import time

import dagster as dg

_START = time.monotonic()


class _Elapsed(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", None) or {}
        text = meta.get("orig_message") or record.getMessage()
        mark = {logging.WARNING: "! ", logging.ERROR: "✗ ", logging.CRITICAL: "✗ "}.get(record.levelno, "")
        seconds = time.monotonic() - _START
        return f"[{int(seconds // 60):2d}:{int(seconds % 60):02d}] {mark}{text.splitlines()[0] if text else ''}"


@dg.logger(description="Short lines with elapsed time; Dagster's own events are left to the UI.")
def short_console(init_context: dg.InitLoggerContext) -> logging.Logger:
    """Messages of INFO and above that assets wrote, without Dagster's step events."""
    logger = logging.Logger("causalsmith", level=logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Elapsed())
    handler.addFilter(_is_ours)
    logger.addHandler(handler)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    """Dagster's events carry a dagster_event; a failed step is shown all the same."""
    event = getattr(record, "dagster_event", None)
    return event is None or record.levelno >= logging.ERROR
