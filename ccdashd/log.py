"""The log: lines of ``key=value``, to the journal or to a rotating file; never a message's body, never a transcript.

    log = get(__name__)
    log.info("listening", socket=path)         →  2026-01-02T03:04:05.678Z INFO ccdashd.app listening socket=/run/…

Under systemd the lines go to standard error with the ``<N>`` priorities that the journal reads (sd-daemon(3)).
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import time
from collections.abc import Awaitable, MutableMapping
from pathlib import Path
from typing import Any

FILE_BYTES = 5 * 1024 * 1024
FILES_KEPT = 3

_OWN_ARGUMENTS = frozenset({"exc_info", "stack_info", "stacklevel", "extra"})
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger whose methods take fields as keywords."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Move the keywords that `logging` does not know into the record's `fields`."""
        fields = {key: kwargs.pop(key) for key in list(kwargs) if key not in _OWN_ARGUMENTS}
        kwargs["extra"] = {**(kwargs.get("extra") or {}), "fields": fields}
        return msg, kwargs


def get(name: str) -> Log:
    """The log of a module."""
    return Log(logging.getLogger(name), {})


async def survived(work: Awaitable[None], event: str) -> None:
    """Wait for `work`. What it raises is told in the log as `event`, and goes no further."""
    try:
        await work
    except Exception as error:
        get(__name__).error(event, exc_info=error)


class KeyValueFormatter(logging.Formatter):
    """One line per record, then the traceback if there is one. `journal` writes priorities in place of time and level."""

    def __init__(self, journal: bool = False) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; line breaks inside a value are escaped, so that no value can forge a line."""
        parts = [record.name, _quiet(record.getMessage())]
        parts += [f"{key}={_value(value)}" for key, value in getattr(record, "fields", {}).items()]
        line = " ".join(parts)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        if self._journal:
            priority = f"<{_PRIORITIES.get(record.levelno, 6)}>"
            return "\n".join(priority + part for part in line.splitlines())
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{moment}.{int(record.msecs):03d}Z {record.levelname} {line}"


def configure(file: Path, level: str, foreground: bool = False) -> str | None:
    """Send all logging of the process to the journal, to standard error (`foreground`), or to `file` (mode 0600).

    Returns what is wrong where the file cannot be written; the log then goes to standard error.
    """
    logging.raiseExceptions = False
    problem: str | None = None
    handler: logging.Handler
    if foreground or to_journal():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(KeyValueFormatter(journal=not foreground))
    else:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handler = _PrivateFile(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8", errors="replace")
        except OSError as error:
            problem = f"the log file cannot be written: {error.strerror}"
            handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(KeyValueFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    return problem


def note_failure(file: Path, reason: str) -> None:
    """Log why the daemon could not start, before there are settings."""
    configure(file, "info")
    get("ccdashd").error("not started", reason=reason)


def to_journal() -> bool:
    """Whether standard error is the journal's stream (systemd.exec(5), ``$JOURNAL_STREAM``)."""
    try:
        device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
        status = os.fstat(2)
        return (int(device), int(inode)) == (status.st_dev, status.st_ino)
    except (ValueError, OSError):
        return False


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private)


def _quiet(text: str) -> str:
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    if text and all(character.isprintable() and character not in ' "=' for character in text):
        return text
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
