"""What a person at a terminal sees of a run: one short line a message, with the time since the start."""

import logging
import sys
import time

import dagster as dg

_START = time.monotonic()


class _Elapsed(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", None) or {}
        text = _failure_of(record) or meta.get("orig_message") or record.getMessage()
        mark = {logging.WARNING: "! ", logging.ERROR: "✗ ", logging.CRITICAL: "✗ "}.get(record.levelno, "")
        seconds = time.monotonic() - _START
        return f"[{int(seconds // 60):2d}:{int(seconds % 60):02d}] {mark}{text.splitlines()[0] if text else ''}"


@dg.logger(config_schema={}, description="Short lines with elapsed time; Dagster's own events are left to the UI.")
def short_console(init_context: dg.InitLoggerContext) -> logging.Logger:
    """Messages of INFO and above that assets wrote, without Dagster's step events."""
    logger = logging.Logger("causalsmith", level=logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Elapsed())
    handler.addFilter(_is_ours)
    logger.addHandler(handler)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    """Dagster's events carry a dagster_event; of these only a step's failure is shown."""
    return _event_of(record) is None or _failure_of(record) is not None


def _event_of(record: logging.LogRecord) -> dg.DagsterEvent | None:
    meta = getattr(record, "dagster_meta", None) or {}
    return meta.get("dagster_event")


def _failure_of(record: logging.LogRecord) -> str | None:
    """The innermost cause of a failed step, as one line."""
    event = _event_of(record)
    if event is None or not event.is_step_failure or event.step_failure_data.error is None:
        return None
    error = event.step_failure_data.error
    while error.cause is not None:
        error = error.cause
    return f"{event.step_key}: {error.message.strip()}"
