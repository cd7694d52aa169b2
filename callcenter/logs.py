"""Logging: structlog, one line for each event; personal data is masked unless it is asked for.

Event names are static text. Values that may be personal stand under keys that end in ``_pii``.
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

MASK = "***"
LEVEL_VARIABLE = "CALLCENTER_LOG__LEVEL"


_structured_tracebacks = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
"""Where it broke, without what the variables held: they hold numbers and messages of people."""


def mask_personal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace every value whose key ends in ``_pii``."""
    for key in event:
        if key.endswith("_pii"):
            event[key] = MASK
    return event


def configure_logs(process: str, *, level: str | None = None, as_json: bool | None = None) -> None:
    """Log to standard error: text on a terminal, JSON elsewhere. ``process`` names this process on each line.

    Without ``level`` the environment's ``CALLCENTER_LOG__LEVEL`` counts, else ``info``.
    """
    level = level or os.environ.get(LEVEL_VARIABLE, "info")
    structured = not sys.stderr.isatty() if as_json is None else as_json
    renderer: Any = structlog.processors.JSONRenderer() if structured else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_personal,
            _structured_tracebacks if structured else structlog.processors.format_exc_info,  # names and lines only, too
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
