"""Results for other programs: JSON as the daemon says it, and the same values as rows of CSV or Parquet.

CSV is UTF-8 with a heading and one row an item or point. Names of columns stay what they are. Money has six digits after
the point, as exact as it is known. Text that a spreadsheet would run as a formula has ``'`` before it, since titles of
sessions and names of branches come from others; JSON and Parquet, which nothing runs, have it as it is.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ccdash.context import Context
from ccdash.errors import Error, UsageError

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["text", "integer", "number", "money", "time", "boolean"]
"""``money``: US dollars to a millionth; ``time``: of the wire, in UTC."""

Value = str | int | float | bool | None
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings of cells that spreadsheets take for formulas (https://owasp.org/www-community/attacks/CSV_Injection)."""

MILLIONTH = Decimal("0.000001")
_SPECIAL = re.compile('[,"\\r\\n]')


class Field(NamedTuple):
    """A column."""

    name: str
    kind: Kind = "text"


class Records(NamedTuple):
    """A table for programs: every row has a value, or None, for every field."""

    fields: Sequence[Field]
    rows: Sequence[Sequence[Value]]


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for files and formats."""
    group = parser.add_argument_group("for other programs")
    group.add_argument(
        "--csv", action="store_true", help="rows as CSV, numbers exact; text that a spreadsheet would run has ' before it"
    )
    group.add_argument(
        "--parquet", metavar="FILE", help="the same rows as a Parquet file (needs `pip install 'ccdash[parquet]'`)"
    )
    group.add_argument("--output", metavar="FILE", help="write JSON, CSV or Parquet, by the ending of its name, to FILE")


class Export:
    """What the options say of the form of a result. Raises `UsageError` for those that contradict each other, and `Error`
    where Parquet is wanted and cannot be written; both before anything is asked."""

    def __init__(self, context: Context) -> None:
        args = context.args
        self._out = context.out
        self._path: Path | None = None
        named = [name for name, given in (("json", args.json), ("csv", args.csv), ("parquet", args.parquet)) if given]
        if len(named) > 1:
            raise UsageError(f"--{named[0]} and --{named[1]} are two forms of the same: give one of them.")
        self.form = named[0] if named else ""
        if args.output:
            ending = Path(args.output).suffix[1:].lower()
            if self.form == "parquet":
                raise UsageError("--parquet names its file itself: leave out --output.")
            if not self.form and ending not in ("json", "csv", "parquet"):
                raise UsageError("--output needs --json or --csv, or a FILE that ends in .json, .csv or .parquet.")
            self.form = self.form or ending
        if name := args.output or args.parquet:
            self._path = Path(name).expanduser()
        if self.form == "parquet" and find_spec("pyarrow") is None:
            raise Error("Parquet needs the package pyarrow, which is not installed. Run: pip install 'ccdash[parquet]'")

    def __bool__(self) -> bool:
        return bool(self.form)

    def write(self, answer: object, records: Callable[[], Records]) -> bool:
        """Write the result in the form that is wanted; False where that is a table or chart for people."""
        if self.form == "json" and self._path is None:
            self._out.result(answer)
        elif self.form == "json":
            self._store(json.dumps(answer, separators=(",", ":")).encode() + b"\n", "the result")
        elif self.form:
            found = records()
            rows = f"{len(found.rows):,} row{'' if len(found.rows) == 1 else 's'}"
            if self.form == "parquet":
                self._store(to_parquet(found), rows)
            elif self._path is not None:
                self._store(to_csv(found).encode(), rows)
            else:
                self._print(to_csv(found))
        return bool(self.form)

    def _print(self, text: str) -> None:
        with suppress(AttributeError):
            self._out.stream.reconfigure(encoding="utf-8")  # type: ignore[attr-defined]
        self._out.stream.write(text)

    def _store(self, data: bytes, what: str) -> None:
        assert self._path is not None
        replace(self._path, data)
        self._out.note(f"Wrote {what} to {self._path}.")


def replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a pipe or device is written to. Raises OSError."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            path.write_bytes(data)
            return
    # A link stays one: what it points to is replaced.
    path = path.resolve()
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def to_csv(records: Records) -> str:
    """The rows as CSV (RFC 4180, but that lines end with a newline alone).

    By hand, since the csv module then leaves a carriage return in a text unquoted, at which readers end the line.
    """
    lines = [[field.name for field in records.fields]]
    lines += [[_cell(field.kind, value) for field, value in zip(records.fields, row, strict=True)] for row in records.rows]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def to_parquet(records: Records) -> bytes:
    """The rows as a Parquet file: money as decimal(18, 6), times as milliseconds of UTC."""
    import pyarrow
    from pyarrow import parquet

    types: Mapping[Kind, pyarrow.DataType] = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "money": pyarrow.decimal128(18, 6),
        "time": pyarrow.timestamp("ms", tz="UTC"),
        "boolean": pyarrow.bool_(),
    }
    arrays = [
        pyarrow.array([_typed(field.kind, row[at]) for row in records.rows], type=types[field.kind])
        for at, field in enumerate(records.fields)
    ]
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, names=[field.name for field in records.fields]), sink)
    return sink.getvalue()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


def _cell(kind: Kind, value: Value) -> str:
    if value is None:
        return ""
    if kind == "money":
        return f"{Decimal(repr(value)).quantize(MILLIONTH):f}"
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "integer":
        return str(int(value))
    text = str(value)
    return f"'{text}" if kind == "text" and text.startswith(FORMULA) else text


def _typed(kind: Kind, value: Value) -> Any:
    if value is None:
        return None
    if kind == "money":
        return Decimal(repr(value)).quantize(MILLIONTH)
    if kind == "time":
        return datetime.fromisoformat(str(value))
    return int(value) if kind == "integer" else float(value) if kind == "number" else value
