"""The reference page of the wire: prose of ``protocol.template.md``, tables from the method table."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template
from typing import Any

from ccdashd.protocol import describe, methods
from ccdashd.protocol.methods import Method, Notification

LANES = {
    "loop": "answered at once from memory, also while the cache cannot be used; or in several steps",
    "read": "a short query of the cache",
    "heavy": "a long query, on a reader of its own: short ones never wait for it",
    "write": "changes something; answered when the change is committed",
}


def render(template: str) -> str:
    """Fill `template`, whose ``$names`` are those below; raises KeyError for a name that is not there."""
    return Template(template).substitute(
        protocol=methods.PROTOCOL,
        min_protocol=methods.MIN_PROTOCOL,
        errors=_errors(),
        lanes=_lanes(),
        index=_index(),
        methods="\n\n".join(_method(method) for method in methods.METHODS.values()),
        notifications="\n\n".join(_notification(entry) for entry in methods.NOTIFICATIONS.values()),
        types="\n\n".join([*_types(), *_aliases()]),
    )


def _lanes() -> str:
    return _table(("lane", "meaning"), ((f"`{lane}`", text) for lane, text in LANES.items()))


def _errors() -> str:
    rows = ((f"`{e.code}`", e.name, _prose(e.doc), f"`{e.data}`" if e.data else "") for e in describe.error_list())
    return _table(("code", "name", "meaning", "data"), rows)


def _index() -> str:
    rows = (
        (f"[`{method.name}`](#{_anchor(method.name)})", method.lane, _prose(method.doc))
        for method in methods.METHODS.values()
    )
    return _table(("method", "lane", "what it does"), rows)


def _method(method: Method) -> str:
    params = describe.shape(method.params)
    parts = [f"### {method.name}", _prose(method.doc), f"Lane: {method.lane}. Result: {_linked(method.result)}."]
    if params.fields:
        parts += [_prose(params.doc)] if params.doc else []
        parts.append(_params_table(params))
    else:
        parts.append("No parameters.")
    return "\n\n".join(parts)


def _params_table(shape: describe.Shape) -> str:
    rows = (
        (
            f"`{field.name}`",
            _linked(field.hint),
            "required" if field.required else "" if field.default is None else f"`{field.default_json}`",
            _prose(field.doc),
        )
        for field in shape.fields
    )
    return _table(("parameter", "type", "default", "meaning"), rows)


def _notification(notification: Notification) -> str:
    shape = describe.shape(notification.params)
    return "\n\n".join([f"### {notification.name}", _prose(shape.doc or notification.doc), _fields_table(shape)])


def _types() -> Iterator[str]:
    told = {notification.params for notification in methods.NOTIFICATIONS.values()}
    told |= {method.params for method in methods.METHODS.values()}
    for struct in describe.structs():
        shape = describe.shape(struct)
        if struct in told:
            continue
        parts = [f"### type {shape.name}", _prose(shape.doc), _fields_table(shape)]
        yield "\n\n".join(part for part in parts if part)


def _fields_table(shape: describe.Shape) -> str:
    rows = ((f"`{field.name}`", _linked(field.hint), _prose(field.doc)) for field in shape.fields)
    return _table(("field", "type", "meaning"), rows)


def _aliases() -> Iterator[str]:
    for alias in sorted(describe.aliases().values(), key=lambda alias: alias.name):
        yield f"### type {alias.name}\n\nOne of " + ", ".join(f"`{value}`" for value in alias.values) + "."


def _linked(hint: Any) -> str:
    """The name of a type, and links to what it is made of."""
    parts = {
        struct.__name__ for part in describe.walk(hint) if describe.is_struct(struct := describe.generic(part) or part)
    } | {describe.aliases()[part].name for part in describe.walk(hint) if _is_alias(part)}
    name = describe.type_name(hint)
    if name in parts:
        return f"[`{name}`](#{_anchor(f'type {name}')})"
    links = [f"[{part}](#{_anchor(f'type {part}')})" for part in sorted(parts)]
    return f"`{name}`" + (f" ({', '.join(links)})" if links else "")


def _is_alias(hint: Any) -> bool:
    return describe.is_literal(hint) and hint in describe.aliases()


def _anchor(heading: str) -> str:
    """The anchor that renderers of GitHub Markdown give to a heading."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _prose(doc: str) -> str:
    return doc.replace("``", "`")


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
