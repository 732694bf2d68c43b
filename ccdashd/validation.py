"""What is wrong with a value, in plain words: msgspec's error messages made readable."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_EXPECTED = re.compile(r"^Expected `(?P<wanted>[^`]+)`(?:, got `(?P<given>[^`]+)`)?$")
_RANGE = re.compile(r"^Expected `(?:int|float)` (?P<range>[<>]=? ?-?[\d.]+)$")
_LENGTH = re.compile(r"^Expected `(?P<wanted>\w+)` of length (?P<range>[<>]=? ?\d+)$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_COMPARED = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


def explain(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field that is wrong (dotted, ``""`` for the value as a whole) and the problem with it, as words."""
    match = _AT.match(str(error))
    problem, path = (match["problem"], match["path"]) if match else (str(error), None)
    field = (path or "").removeprefix("$").removeprefix(".")
    if unknown := _UNKNOWN.match(problem):
        return _join(field, unknown["field"]), "is not known here"
    if missing := _MISSING.match(problem):
        return _join(field, missing["field"]), "is missing"
    if limited := _RANGE.match(problem):
        return field, f"must be {_compared(limited['range'])}"
    if sized := _LENGTH.match(problem):
        return field, f"must have a length of {_compared(sized['range'])}"
    if expected := _EXPECTED.match(problem):
        given = expected["given"]
        return field, f"must be {_words(expected['wanted'])}" + (f", not {_words(given)}" if given else "")
    return field, problem[:1].lower() + problem[1:]


def value_at(value: Any, field: str) -> Any:
    """The part of `value` that `field` (as from `explain`) names, None where there is none."""
    for key, index in _STEP.findall("." + field if field else ""):
        if key and isinstance(value, dict):
            value = value.get(key)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def _join(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field


def _compared(text: str) -> str:
    sign = text.rstrip("0123456789.-").strip()
    return f"{_COMPARED[sign]} {text[len(sign) :].strip()}"


def _words(kinds: str) -> str:
    return " or ".join(_WORDS.get(kind.strip(), kind.strip()) for kind in kinds.split("|"))
