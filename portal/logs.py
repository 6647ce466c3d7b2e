"""Log lines: JSON for machines, plain ones under `manage.py up`; both know the request they belong to."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")


class JSONFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, logger, message and `facts`; request and exception where there are any."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "facts", {})
        if request_id.get():
            line["request_id"] = request_id.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainFormatter(logging.Formatter):
    """For people: level, logger, message."""

    def __init__(self) -> None:
        super().__init__("%(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, and which request it belongs to."""
        line = super().format(record)
        return f"{line} [{request_id.get()}]" if request_id.get() else line


class NotUnimplemented(logging.Filter):
    """A client that asks for what there is not (501) is no error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Everything else passes."""
        return getattr(record, "status_code", None) != HTTPStatus.NOT_IMPLEMENTED
