"""What the wire's types say about themselves: fields, types, defaults and the sentences written beside them.

The three generators (:mod:`reference`, :mod:`schema`, :mod:`typescript`) read this and nothing else, so that they cannot
disagree. Sentences are the docstrings below a class and below a field; Python keeps the latter nowhere, so they are
read from the source.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

import msgspec

from ccdashd import errors
from ccdashd.protocol import methods
from ccdashd.protocol import types as t


@dataclass(frozen=True)
class Field:
    """One field as it stands in JSON."""

    name: str
    hint: Any
    required: bool
    default: Any
    doc: str

    @property
    def default_json(self) -> str:
        """The default as JSON; only meaningful when not `required`."""
        return json.dumps(msgspec.to_builtins(self.default))


@dataclass(frozen=True)
class Shape:
    """One struct of the wire. `sparse`: what has its default may be left out, as in parameters; answers hold all."""

    name: str
    doc: str
    fields: tuple[Field, ...]
    sparse: bool
    parameters: tuple[str, ...]
    """Names of its type variables: ``Page`` has ``T``."""


@dataclass(frozen=True)
class Alias:
    """A named set of literals, such as ``SessionStatus``."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Error:
    """One class of :mod:`ccdashd.errors`. `data` is the shape of the error's `data`, when the tree names one."""

    name: str
    code: int
    doc: str
    data: str


@cache
def shape(struct: type[t.Wire]) -> Shape:
    """Describe one struct; raises TypeError for anything else."""
    hints = typing.get_type_hints(struct)
    docs = _field_docs(struct.__module__).get(struct.__name__, {})
    fields = []
    for field in msgspec.structs.fields(struct):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        fields.append(Field(field.encode_name, hints[field.name], field.required, default, docs.get(field.name, "")))
    return Shape(
        name=struct.__name__,
        doc=_sentences(struct.__dict__.get("__doc__")),
        fields=tuple(fields),
        sparse=issubclass(struct, t.Params) or struct.__struct_config__.omit_defaults,
        parameters=tuple(variable.__name__ for variable in getattr(struct, "__parameters__", ())),
    )


def structs() -> list[type[t.Wire]]:
    """Every struct that crosses the wire, in the order of first use by the method table."""
    found: dict[type[t.Wire], None] = {}
    for method in methods.METHODS.values():
        for hint in (method.params, method.result):
            _collect(hint, found)
    for notification in methods.NOTIFICATIONS.values():
        _collect(notification.params, found)
    return list(found)


@cache
def aliases() -> dict[Any, Alias]:
    """Named literals by their type, which is how a field refers to them."""
    return {value: Alias(name, typing.get_args(value)) for name, value in vars(t).items() if is_literal(value)}


def error_list() -> list[Error]:
    """The errors in the order of the tree, each with the `data` that the tree names."""
    data = {}
    for line in (errors.__doc__ or "").splitlines():
        _, branch, rest = line.partition("── ")
        if branch:
            _, marker, tail = rest.partition("data: ")
            data[rest.split()[0]] = tail[: tail.index("}") + 1] if marker else ""
    return [
        Error(cls.__name__, cls.code, _sentences(cls.__doc__), data.get(cls.__name__, ""))
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.CcdashError) and cls is not errors.CcdashError
    ]


def walk(hint: Any) -> Iterator[Any]:
    """`hint` and everything inside it, but not inside the structs it names."""
    yield hint
    if not is_literal(hint):
        for part in typing.get_args(hint):
            yield from walk(part)


def is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is Literal


def is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, t.Wire) and not isinstance(hint, types.GenericAlias)


def generic(hint: Any) -> type[t.Wire] | None:
    """The struct of a parametrised one: ``Page`` for ``Page[Project]``."""
    origin = typing.get_origin(hint)
    return origin if is_struct(origin) else None


def type_name(hint: Any, *, integer: str = "integer") -> str:
    """A type as TypeScript writes it, which readers of JSON know best. Raises TypeError for what JSON cannot say.

    `integer` names whole numbers, for which TypeScript itself has no name of its own.
    """
    if hint is int:
        return integer
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, TypeVar):
        return hint.__name__
    if is_literal(hint) and hint in aliases():
        return aliases()[hint].name
    if is_struct(hint):
        return str(hint.__name__)
    args = typing.get_args(hint)
    if is_literal(hint):
        return " | ".join(json.dumps(value) for value in args)
    if is_union(hint):
        return " | ".join(type_name(part, integer=integer) for part in args)
    inner = [type_name(part, integer=integer) for part in args]
    if struct := generic(hint):
        return f"{struct.__name__}<{', '.join(inner)}>"
    if typing.get_origin(hint) is list:
        return f"({inner[0]})[]" if " | " in inner[0] else f"{inner[0]}[]"
    if typing.get_origin(hint) is dict and args[0] is str:
        return f"Record<string, {inner[1]}>"
    raise TypeError(f"{hint!r} has no form on the wire")


_SCALARS: dict[Any, str] = {
    str: "string",
    float: "number",
    bool: "boolean",
    type(None): "null",
    Any: "unknown",
}


def _collect(hint: Any, found: dict[type[t.Wire], None]) -> None:
    for part in walk(hint):
        struct = generic(part) or part
        if is_struct(struct) and struct not in found:
            found[struct] = None
            for inner in typing.get_type_hints(struct).values():
                _collect(inner, found)


@cache
def _field_docs(module: str) -> dict[str, dict[str, str]]:
    """Docstrings below fields: ``{class: {field: text}}``."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(sys.modules[module])).body:
        if not isinstance(node, ast.ClassDef):
            continue
        docs = found.setdefault(node.name, {})
        for field, below in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                docs[field.target.id] = _sentences(below.value.value)
    return found


def _sentences(doc: str | None) -> str:
    """A docstring on one line."""
    return " ".join((doc or "").split())
