"""The life of an editor's connection: from initialize to exit, and what happens when one behaves badly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.errors import Unsupported
from ccdashd.lsp import editor as editors
from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp
from ccdashd.rpc.connection import Connection
from tests.helpers import Client, Closed, Daemon, RpcError, framed, wait_until
from tests.lsp.clients import RECORDED
from tests.lsp.conftest import Connect, Opening
from tests.lsp.editors import EditorClient
from tests.rpc.conftest import Served

ABOUT_DOCUMENTS = (
    "textDocument/hover",
    "textDocument/codeLens",
    "textDocument/inlayHint",
    "textDocument/documentLink",
    "textDocument/codeAction",
)

NO_FILES = (
    "untitled:Untitled-1",
    "git:/a.md?ref",
    "vscode-notebook-cell:/a.ipynb#1",
    "file://elsewhere/a.md",
    "",
    "http://[",
)


def error_of(client: Client, method: str, params: Any = None) -> RpcError:
    with pytest.raises(RpcError) as caught:
        client.request(method, params)
    return caught.value


def connection_of(served: Served) -> Connection:
    """The only connection."""
    (connection,) = served.app.server._connections
    return connection


def editor_of(served: Served) -> Editor:
    """The only editor, once it is initialized."""
    found: Editor = wait_until(lambda: connection_of(served).editor, "initialize")
    return found


def ended(client: EditorClient) -> bool:
    """Whether the daemon closed the connection, after whatever it had to say."""
    try:
        while True:
            client.message()
    except Closed:
        return True


@pytest.mark.parametrize("client", RECORDED)
def test_a_whole_life(editor: EditorClient, client: str, tmp_path: Path) -> None:
    assert editor.start(client)["serverInfo"]["name"] == "ccdashd"
    path = tmp_path / "outside.py"
    editor.open(path, "print()\n")
    for method in ABOUT_DOCUMENTS:
        assert not editor.at(method, path.as_uri())
    assert editor.request("workspace/symbol", {"query": "nothing is called so"}) == []
    editor.close_document(path)
    assert editor.request("shutdown") is None
    editor.notify("exit")
    assert ended(editor)


@pytest.mark.parametrize("uri", NO_FILES)
def test_nothing_is_known_of_what_is_no_file(served: Served, editor: EditorClient, uri: str) -> None:
    editor.start()
    editor.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "x", "version": 1, "text": ""}})
    assert [editor.at(method, uri) or None for method in ABOUT_DOCUMENTS] == [None] * len(ABOUT_DOCUMENTS)
    assert editor_of(served).documents == {}


def test_requests_of_editors_are_for_editors(editor: EditorClient) -> None:
    editor.request("ccdash/hello", {"client": "test"})
    for method in lsp.REQUESTS:
        error = error_of(editor, method, {})
        assert (error.code, error.message) == (-32601, f"there is no method '{method}' before 'initialize'")
    editor.start()
    assert error_of(editor, "textDocument/formatting", {}).code == -32601
    assert error_of(editor, "textDocument/hover", {}).code == -32602
    before = {"textDocument": {"uri": "file:///a.md"}, "position": {"line": -9, "character": 0}}
    assert error_of(editor, "textDocument/hover", before).code == -32602
    assert error_of(editor, "workspace/executeCommand", {"command": "rm"}).code == -32602


def test_one_that_is_shut_down_may_only_exit_and_others_go_on(served: Served, connect: Connect) -> None:
    one, other = connect(), connect()
    one.start()
    other.start()
    assert one.request("shutdown") is None
    for method in ("textDocument/hover", "initialize", "shutdown", "ccdash/status"):
        assert error_of(one, method, {}).code == -32600
    one.notify("exit")
    assert ended(one)
    assert other.request("workspace/symbol", {"query": ""}) is not None
    wait_until(lambda: served.app.server.clients == 1, "the end of the connection")


def test_initialize_is_once_and_needs_what_it_needs(editor: EditorClient) -> None:
    for params in (5, {"capabilities": []}, {"workspaceFolders": [1]}):
        editor.raw(framed({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": params}))
        with pytest.raises(RpcError, match=r"-32602|-32600"):
            editor.result("i")
    editor.start()
    assert error_of(editor, "initialize", {"capabilities": {}}).code == -32600


def test_garbage_in_between_is_answered_and_forgotten(editor: EditorClient) -> None:
    editor.start()
    for body, code in ((b"{", -32700), (b"[]", -32600), (b"3", -32600), (b'{"jsonrpc":"2.0","id":null}', -32600)):
        editor.raw(framed(body))
        assert editor.message()["error"]["code"] == code
    for name in ("textDocument/didOpen", "textDocument/didChange", "textDocument/didClose", "textDocument/didSave"):
        for params in ({}, {"textDocument": 5}, {"textDocument": {"uri": "file:///a.md"}, "contentChanges": [{}]}):
            editor.notify(name, params)
        editor.raw(framed({"jsonrpc": "2.0", "method": name, "params": [1]}))
        editor.raw(framed({"jsonrpc": "2.0", "method": name}))
    for name in ("$/setTrace", "workspace/didChangeConfiguration", "window/workDoneProgress/cancel", "no/such"):
        editor.notify(name, {"value": "off"})
    assert editor.at("textDocument/codeLens", "file:///a.md") == []


def test_initialize_is_answered_while_the_cache_is_being_opened(opening: Opening) -> None:
    with EditorClient(opening.path) as editor:
        assert editor.start()["capabilities"]["hoverProvider"] is True
        waiting = [editor.send("textDocument/codeLens", {"textDocument": {"uri": "file:///a.py"}}) for _ in range(2)]
        editor.notify("$/cancelRequest", {"id": waiting[0]})
        with pytest.raises(RpcError, match="-32800"):
            editor.result(waiting[0])
        opening.let()
        assert editor.result(waiting[1]) == []


def test_editors_are_shown_nothing_while_the_cache_cannot_be_used(served: Served, editor: EditorClient) -> None:
    editor.start()
    database, served.app._database = served.app._database, None
    try:
        assert error_of(editor, "sessions/list").code == -32004
        assert editor.at("textDocument/codeLens", "file:///a.md") is None
        assert editor.at("textDocument/hover", "file:///a.md") is None
        assert error_of(editor, "workspace/executeCommand", {"command": "ccdash.setStatus"}).code == -32004
    finally:
        served.app._database = database
    assert editor.at("textDocument/codeLens", "file:///a.md") == []


def test_the_first_words_of_a_new_daemon_hold_no_error(idle_daemon: Daemon) -> None:
    idle_daemon.spawn("serve")

    def connected() -> EditorClient | None:
        try:
            return EditorClient(idle_daemon.paths.socket)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    with wait_until(connected, "the daemon's socket") as editor:
        editor.start()
        assert editor.at("textDocument/hover", "file:///a.md") is None
        assert editor.request("sessions/list", {})["items"] == []


def test_five_hundred_documents(served: Served, editor: EditorClient, tmp_path: Path) -> None:
    editor.start()
    paths = [tmp_path / f"{number}.py" for number in range(500)]
    for path in paths:
        editor.open(path, "x = 1\n" * 100)
    asked = [editor.send("textDocument/codeLens", {"textDocument": {"uri": path.as_uri()}}) for path in paths]
    assert all(editor.result(id) == [] for id in asked)
    documents = editor_of(served).documents
    assert len(documents) == 500
    assert all(document.text is None for document in documents.values())
    for path in paths:
        editor.close_document(path)
    editor.request("shutdown")
    assert documents == {}


def test_documents_beyond_the_limit_are_not_remembered(
    served: Served, editor: EditorClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editors, "OPEN_AT_ONCE", 3)
    editor.start()
    for number in (0, 1, 2, 3, 1):
        editor.open(tmp_path / f"{number}.py")
    assert editor.at("textDocument/codeLens", (tmp_path / "3.py").as_uri()) == []
    assert list(editor_of(served).documents) == [str(tmp_path / f"{number}.py") for number in range(3)]


# --- what the daemon asks ---


def ask(served: Served, kind: Any = Any, then: Callable[[], object] = lambda: None) -> Any:
    """Ask the only editor to show a document, act, and wait for its answer. Raises `Unsupported`."""
    editor = editor_of(served)

    async def question() -> Any:
        return await editor.ask("window/showDocument", lsp.ShowDocument(uri="file:///a.md"), kind)

    future = asyncio.run_coroutine_threadsafe(question(), served._loop)
    then()
    return future.result(20)


def test_an_answer_of_the_editor(served: Served, editor: EditorClient) -> None:
    editor.start()
    assert ask(served, dict[str, bool], lambda: editor.answer(editor.told("window/showDocument"), {"success": True})) == {
        "success": True
    }


def test_a_refusal_of_the_editor(served: Served, editor: EditorClient) -> None:
    editor.start()
    with pytest.raises(Unsupported, match="the editor refused: no window"):
        ask(served, then=lambda: editor.answer(editor.told("window/showDocument"), error="no window"))


@pytest.mark.parametrize("error", [5, None, {}, {"message": 5}, "text"])
def test_a_refusal_in_words_that_are_none(served: Served, editor: EditorClient, error: Any) -> None:
    editor.start()

    def refuse() -> None:
        id = editor.told("window/showDocument")["id"]
        editor.raw(framed({"jsonrpc": "2.0", "id": id, "error": error}))

    with pytest.raises(Unsupported, match="it did not say why"):
        ask(served, then=refuse)


def test_an_answer_that_is_not_understood(served: Served, editor: EditorClient) -> None:
    editor.start()
    with pytest.raises(Unsupported, match="was not understood"):
        ask(served, lsp.ApplyEditResult, lambda: editor.answer(editor.told("window/showDocument"), {"applied": 5}))


def test_an_answer_that_never_comes(served: Served, editor: EditorClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editors, "ANSWER", 0.05)
    editor.start()
    with pytest.raises(Unsupported, match="did not answer window/showDocument within"):
        ask(served)
    question = editor.told("window/showDocument")
    assert editor.told("$/cancelRequest")["params"] == {"id": question["id"]}
    editor.answer(question, {"success": True})
    assert editor.at("textDocument/codeLens", "file:///a.md") == []


def test_an_editor_that_goes_while_it_is_asked(served: Served, connect: Connect) -> None:
    editor = connect()
    editor.start()
    known = editor_of(served)
    with pytest.raises(Unsupported, match="the editor is gone"):
        ask(served, then=lambda: (editor.told("window/showDocument"), editor.close()))
    with pytest.raises(Unsupported, match="the editor is gone"):
        served.do(lambda: known.ask("window/showDocument", None, Any))


@pytest.mark.parametrize("answer", [{"result": None}, {"error": {"code": 1, "message": "x"}}, {}])
def test_answers_that_nobody_waits_for_are_left_alone(editor: EditorClient, answer: dict[str, Any]) -> None:
    editor.start()
    editor.raw(framed({"jsonrpc": "2.0", "id": "ccdash-99", **answer}))
    assert editor.at("textDocument/codeLens", "file:///a.md") == []


# --- what no editor may cost the others ---


def test_an_editor_that_does_not_read_costs_little_memory(served: Served, connect: Connect) -> None:
    deaf = connect()
    deaf.start()
    deaf.request("workspace/symbol", {"query": "x"})
    connection = connection_of(served)
    deaf.socket.settimeout(0.5)
    asked = 0
    with pytest.raises(TimeoutError):
        while True:
            # The answer repeats the id.
            deaf.send("textDocument/codeLens", {"textDocument": {"uri": "file:///a.md"}}, f"{asked:020000}")
            asked += 1
    assert connection._transport.get_write_buffer_size() < served.settings.subscriber_backlog + 4_000_000
    with connect() as other:
        other.start()
        assert other.at("textDocument/codeLens", "file:///a.md") == []
    deaf.socket.settimeout(20)
    assert [deaf.result(f"{number:020000}") for number in range(asked)] == [[]] * asked


def test_nothing_is_left_of_an_editor_that_is_killed(served: Served) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.lsp.editors import EditorClient;"
        f"editor = EditorClient(Path({str(served.path)!r})); editor.start(); editor.open(Path('/a.md'));"
        "print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    with process, process.stdin, process.stdout:
        assert process.stdout.readline() == b"ready\n"
        connection = connection_of(served)
        life = wait_until(lambda: connection._life, "initialized")
        process.kill()
    wait_until(lambda: served.app.server.clients == 0, "the end of the connection")
    wait_until(life.done, "the end of its work")
    assert [subscriber for subscriber in served.app.events._topics if hasattr(subscriber, "_editor")] == []
