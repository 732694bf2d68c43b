"""Every method of THE TABLE with input that nobody should send: a clear error or a right answer, never a fault.

The calls are generated from the types of the parameters: each field gets each value that is wrong for it, or hard to take.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.protocol.methods import METHODS, Method
from tests.helpers import Client, Daemon, RpcError, framed, wait_until

SESSION = "5f3c1d9e-0000-4000-8000-000000000001"
NAMES = ("a#b.md", "x y.md", "ünï.md", "-.md", "new\nline.md", "100%.md", "#.md", "q?a&b.md", '"quoted".md', "\x07.md")
"""Names of files that ids, patterns, diffs and logs have to bear."""

TEXT = "---\ntype: progress\ntasks:\n- {id: T-1, status: pending}\n---\n"

CODES = {-32602, -32001, -32002, -32003, -32004}
"""Bad parameters, not there, changed meanwhile, not to be written, not now."""


def _cursor(value: Any) -> str:
    """A cursor as lists give them, with something else in it."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


MILLION = "m" * 1_000_000
HARD_TEXTS = (
    *("", " ", "\x00", "~nobody\x00", "\x1b[31m\n", "\U0010ffff", "x" * 300, MILLION, "w " * 50_000),
    *("/", "//", "..", "~", "#", "%", "_%", "*", "[", "'\";--", "a/b#c", "#phase-", "-1", "null"),
    " ".join(map(chr, range(0x4E00, 0x4E00 + 500))),
    *map(_cursor, ([1], "path", ["path", "asc", "x", 5, None], ["path", "asc", 2**70, {}, [1]])),
    _cursor(["modifiedAt", "desc", "a", "b"]),
)
HARD_NUMBERS = (-1, 0, 2**31, 2**53, 2**63, 2**64, -(2**63), -(2**200), 1.5, 1e308)
WRONG = {
    str: (None, 5, True, ["a"], {"a": 1}),
    int: (None, "5", True, [1], {}),
    float: (None, "5", [1.0], {}),
    bool: (None, 0, "true", [], {}),
    list: (None, "a", 5, [5], [None], [["a"]], {"a": 1}),
    dict: (None, "a", 5, [], {"a": 5}),
    t.EntityRef: (
        None,
        "a",
        [],
        {},
        {"type": "task"},
        {"type": "thing", "id": "x"},
        {"type": "task", "id": "x", "more": 1},
    ),
}


def deep(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def project_of(home: Path) -> Path:
    """A project whose files have hard names, and a session that ran in it; returns its root."""
    root = home / "work shop#1"
    (root / ".git").mkdir(parents=True)
    texts = {
        "docs/project_plans/PRDs/till.md": "---\ntitle: Till\ndoc_type: prd\nstatus: draft\n---\n# Till\n",
        ".claude/progress/till/phase-1-progress.md": (
            "---\nprd: till\nphase: 1\nstatus: pending\ntasks:\n- {id: 'T 1/2#3%', title: Open, status: pending}\n---\n"
        ),
    }
    texts |= {f"docs/{name}": TEXT for name in NAMES}
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    logs = home / ".claude/projects/-work-shop"
    logs.mkdir(parents=True)
    record: dict[str, Any] = {"type": "user", "uuid": SESSION, "sessionId": SESSION, "cwd": str(root), "parentUuid": None}
    record |= {"timestamp": "2026-02-03T04:05:06.000Z", "message": {"role": "user", "content": "Fix the till"}}
    (logs / f"{SESSION}.jsonl").write_text(json.dumps(record) + "\n")
    return root


class World:
    """A daemon that knows entities of every type, a client of it, and their ids."""

    def __init__(self, daemon: Daemon, client: Client, root: Path) -> None:
        self.daemon, self.client, self.root = daemon, client, root
        (project,) = client.request("projects/list")["items"]
        self.project: str = project["id"]
        plan = f"{self.project}/.claude/progress/till/phase-1-progress.md"
        self.ids = {
            "session": SESSION,
            "project": self.project,
            "feature": f"{self.project}/till",
            "phase": f"{plan}#phase-1",
            "task": f"{plan}#T 1/2#3%",
            "document": plan,
            "file": str(root / "docs/a#b.md"),
            "commit": f"{self.project}/1234567",
        }

    def ref(self, type: str) -> dict[str, str]:
        return {"type": type, "id": self.ids[type]}

    def valid(self, method: Method) -> dict[str, Any]:
        """Parameters that the method takes: those that it must have."""
        given: dict[str, Any] = {}
        for field in msgspec.structs.fields(method.params):
            if field.required:
                given[field.encode_name] = self._value(method, field.encode_name)
        return given

    def _value(self, method: Method, name: str) -> Any:
        namespace = method.name.partition("/")[0]
        match name:
            case "id":
                kind = namespace.removesuffix("s")
                return (
                    self.ids["phase"]
                    if method is methods.FEATURES_SET_PHASE_STATUS
                    else self.ids.get(kind, self.ids["task"])
                )
            case "type":
                return "task"
            case "entity" | "source":
                return self.ref("task")
            case "target":
                return self.ref("feature")
            case "topics":
                return ["sessions"]
            case "since":
                return 0
            case "root":
                return str(self.root)
            case "path":
                return str(self.root / "docs/a#b.md")
            case "url":
                return "https://example.com/"
            case "status":
                return "done"
            case "key":
                return "note"
            case _:
                return f"a {name}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    daemon = Daemon(folder)
    root = project_of(daemon.home)
    daemon.start()
    with daemon.client(5.0) as client:
        wait_until(lambda: client.request("documents/list")["total"] == len(NAMES) + 2, "the planning files")
        yield World(daemon, client, root)
    daemon.close()
    shutil.rmtree(folder, ignore_errors=True)


def kinds(hint: Any) -> set[Any]:
    """The kinds of values of `WRONG` that a type takes; also ``Any``."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return {str}
    if origin in (list, dict):
        return {origin}
    if args := typing.get_args(hint):
        return set().union(*(kinds(arg) for arg in args))
    return {hint}


LONG = (methods.CACHE_VERIFY, methods.CACHE_BACKUP)
"""Methods that start a process: tokens, of which nearly all are right, are tried with the others."""


def hostile(world: World, method: Method) -> Iterator[dict[str, Any] | bytes]:
    """Parameters of a method, each wrong or hard in one place."""
    valid = world.valid(method)
    yield b"null"
    yield b"[]"
    yield b'{"id":"\\ud800"}'
    yield b'{"":0}'
    yield b'{"id":' + b"[" * 500 + b"]" * 500 + b"}"
    yield {**valid, "nonsense": 1}
    for name in valid:
        yield {key: value for key, value in valid.items() if key != name}
    hints = typing.get_type_hints(method.params)
    for field in msgspec.structs.fields(method.params):
        name, taken = field.encode_name, kinds(hints[field.name])
        if name == "workDoneToken" and method in LONG:
            continue
        for kind in taken & WRONG.keys():
            yield from ({**valid, name: value} for value in WRONG[kind])
        yield json.dumps({**valid, name: "\ud800"}).encode()
        yield json.dumps({**valid, name: {"type": "task", "id": "\ud800"}}).encode()
        if str in taken:
            yield from ({**valid, name: text} for text in (*HARD_TEXTS, *world.ids.values()))
        if taken & {int, float} and name != "minRevision":
            yield from ({**valid, name: number} for number in HARD_NUMBERS)
        if t.EntityRef in taken:
            for type_, id in world.ids.items():
                other = next(value for key, value in world.ids.items() if key != type_)
                texts = (*HARD_TEXTS, other, id + "#", id + "/", "/" + id)
                yield from ({**valid, name: {"type": type_, "id": text}} for text in texts)
        if Any in taken:
            yield from (
                {**valid, name: value}
                for value in (MILLION, 2**200, -1e308, "", {"": [{"\x00": None}]}, deep(101), deep(400))
            )
            yield {**valid, name: [{"a": "x" * 10}] * 20_000}
        if list in taken:
            yield {**valid, name: ["x"] * 100_000}
            yield from ({**valid, name: [text]} for text in HARD_TEXTS)
        if dict in taken:
            yield {**valid, name: {str(n): "x" for n in range(10_000)}}
            yield from ({**valid, name: {text: text}} for text in HARD_TEXTS[:-1])


def check(world: World, method: Method, params: dict[str, Any] | bytes) -> None:
    """Send it: the answer must be of the method's type, or an error that says what is wrong."""
    raw = params if isinstance(params, bytes) else json.dumps(params).encode()
    shown = f"{method.name} {raw[:200]!r}"
    world.client.raw(framed(b'{"jsonrpc":"2.0","id":"h","method":"%s","params":%s}' % (method.name.encode(), raw)))
    try:
        result = world.client.result("h")
    except RpcError as error:
        wanted = CODES | ({-32011} if method is methods.HELLO else set()) | ({-32600} if b"\\ud800" in raw else set())
        assert error.code in wanted, f"{shown}: {error}"
        assert len(error.message) < 2_000, f"{shown}: the error has {len(error.message)} characters"
        size = len(json.dumps(error.data))
        assert size < 10_000, f"{shown}: the data of the error has {size} bytes"
        if error.code == -32602:
            assert {"field", "problem"} <= error.data.keys(), f"{shown}: {error.data}"
    else:
        msgspec.convert(result, method.result)


@pytest.mark.parametrize(
    "method", [method for method in METHODS.values() if method is not methods.SHUTDOWN], ids=lambda m: m.name
)
def test_no_parameters_break_a_method(world: World, method: Method) -> None:
    before = len(world.daemon.log)
    for params in hostile(world, method):
        check(world, method, params)
    assert world.client.request("ccdash/status")["state"] == "ok"
    logged = world.daemon.log[before:]
    assert "internal error" not in logged
    assert "Traceback" not in logged


@pytest.mark.parametrize("name", NAMES)
def test_files_with_hard_names_are_like_others(world: World, name: str) -> None:
    client, path = world.client, f"docs/{name}"
    document = f"{world.project}/{path}"
    for wanted in (document, path, str(world.root / path)):
        got = client.request("documents/get", {"id": wanted, "content": True})
        assert (got["id"], got["path"]) == (document, path)
    (task,) = client.request("tasks/list", {"document": document})["items"]
    assert task["documentId"] == document
    assert client.request("tasks/get", {"id": task["id"]})["absolutePath"] == str(world.root / path)
    assert client.request("documents/list", {"path": path})["total"] == 1
    assert client.request("files/context", {"path": str(world.root / path)})["document"]["id"] == document
    for type, id in (("document", document), ("task", task["id"]), ("file", str(world.root / path))):
        ref = {"type": type, "id": id}
        client.request("tags/add", {"name": "hard", "entity": ref})
        client.request("metadata/set", {"entity": ref, "key": "note", "value": name})
        assert client.request("metadata/get", {"entity": ref})["values"] == {"note": name}
        link = client.request("links/create", {"source": ref, "target": world.ref("feature")})
        assert link["source"]["id"] == id
        assert not link["source"]["missing"]
    preview = client.request("tasks/setStatus", {"id": task["id"], "status": "done"})
    assert preview["files"][0]["path"] == path
    assert preview["files"][0]["diff"].count("\n+") == 2, "the head, and one line"
    hashes = {path: preview["files"][0]["hash"]}
    client.request("tasks/setStatus", {"id": task["id"], "status": "done", "apply": True, "hashes": hashes})
    assert (world.root / path).read_text() == TEXT.replace("pending", "completed")
    assert client.request("cache/verify")["ok"]
