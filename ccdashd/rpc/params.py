"""Parameters from JSON to their type; what is wrong with them in plain words."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from ccdashd.errors import InvalidParams
from ccdashd.validation import explain, value_at

MAX_LIMIT = 500
"""Most rows of one page, where a type does not say itself how many."""

MAX_OFFSET = 2**53 - 1
"""Largest number that every client can name exactly; SQLite takes some more, but not all that JSON can hold."""


class ParamsDecoder:
    """Decodes the parameters of one method, and holds them to the rules that all methods share."""

    def __init__(self, type_: type[msgspec.Struct]) -> None:
        self._type = type_
        self._decoder = msgspec.json.Decoder(type_)
        fields = msgspec.structs.fields(type_)
        self._wire_names = {field.name: field.encode_name for field in fields}
        self._limited = any(field.name == "limit" and field.type is int for field in fields)

    def decode(self, raw: bytes) -> Any:
        """The parameters. Raises `InvalidParams`."""
        try:
            params: Any = self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise self._explained(error, raw) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidParams("params", f"is not JSON: {error}") from None
        if self._limited and not 1 <= params.limit <= MAX_LIMIT:
            raise InvalidParams("limit", f"must be between 1 and {MAX_LIMIT}", params.limit)
        if "offset" in self._wire_names and not 0 <= params.offset <= MAX_OFFSET:
            problem = "must be 0 or more" if params.offset < 0 else f"must be at most {MAX_OFFSET}"
            raise InvalidParams("offset", problem, params.offset)
        return params

    def min_revision(self, params: Any) -> int | None:
        """The revision that the answer must have, where the method and the client name one."""
        return params.min_revision if "min_revision" in self._wire_names else None

    def _explained(self, error: msgspec.ValidationError, raw: bytes) -> InvalidParams:
        field, problem = explain(error)
        try:
            given = value_at(msgspec.json.decode(raw), field)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            given = None
        if not field:
            return InvalidParams("params", problem, given)
        if problem == "is not known here":
            problem += f"; {self._nearest(field)}"
        elif problem.startswith("invalid enum value"):
            problem = f"must be one of {', '.join(self._choices(field))}"
        return InvalidParams(field, problem, given)

    def _nearest(self, field: str) -> str:
        import difflib

        names = list(self._wire_names.values())
        near = difflib.get_close_matches(field, names, n=1)
        if near:
            return f"did you mean {near[0]!r}?"
        return f"there are {', '.join(names)}" if names else "this method takes no parameters"

    def _choices(self, field: str) -> list[str]:
        name = field.partition("[")[0]
        hints = typing.get_type_hints(self._type)
        for own, wire in self._wire_names.items():
            if wire == name:
                return list(_literals(hints[own]))
        return []


def _literals(hint: Any) -> typing.Iterator[str]:
    if typing.get_origin(hint) is typing.Literal:
        yield from map(str, typing.get_args(hint))
    else:
        for part in typing.get_args(hint):
            yield from _literals(part)
