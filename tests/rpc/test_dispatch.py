"""The registry against the table, lanes, kept answers, and waiting for a revision."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.protocol.methods import METHODS, Method
from ccdashd.rpc import dispatch
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store.database import Database, get_meta, put_meta
from tests.helpers import RpcError, wait_until
from tests.rpc.conftest import Served


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    dispatch.load()
    handlers = dict(dispatch._handlers)
    monkeypatch.setattr(dispatch, "_handlers", handlers)
    return handlers


def test_every_method_has_one_handler(registry: dict[str, Any]) -> None:
    assert registry.keys() == METHODS.keys() | lsp.REQUESTS.keys()


def test_a_missing_handler_is_found(registry: dict[str, Any]) -> None:
    del registry["sessions/get"]
    with pytest.raises(TypeError, match="sessions/get"):
        dispatch.load()


def test_a_second_handler_is_refused(registry: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="two handlers"):
        handles(METHODS["ccdash/hello"])(lambda call, params: None)


def test_a_handler_of_the_wrong_kind_is_refused(registry: dict[str, Any]) -> None:
    async def coroutine(call: Call, params: t.NoParams) -> t.Ok:
        return t.Ok()

    def plain(call: Call, params: t.NoParams) -> t.Ok:
        return t.Ok()

    with pytest.raises(TypeError, match="plain function"):
        handles(Method("x/read", "read", t.NoParams, t.Ok, ""))(coroutine)
    with pytest.raises(TypeError, match="coroutine function"):
        handles(Method("x/write", "write", t.NoParams, t.Ok, ""))(plain)


def test_types_that_differ_from_the_table_are_refused(registry: dict[str, Any]) -> None:
    def wrong_call(call: Call, params: t.ProjectId) -> t.Project:
        raise NotImplementedError

    def wrong_params(call: ReadCall, params: t.NoParams) -> t.Project:
        raise NotImplementedError

    def wrong_result(call: ReadCall, params: t.ProjectId) -> t.Ok:
        raise NotImplementedError

    for function in (wrong_call, wrong_params, wrong_result):
        registry.pop("projects/get")
        handles(METHODS["projects/get"])(function)
        with pytest.raises(TypeError, match="projects/get"):
            dispatch.load()


def test_a_question_before_its_handler_is_there_waits_for_it(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon listens before it has imported its handlers, which it does while it opens the cache."""
    handler = dispatch._handlers.pop("analytics/metrics")
    ready = served.app.ready

    async def opened() -> Database:
        dispatch._handlers["analytics/metrics"] = handler
        return await ready()

    monkeypatch.setattr(served.app, "ready", opened)
    with served.client() as client:
        assert client.request("analytics/metrics")["items"]


def test_a_kept_answer_runs_no_handler_until_the_revision_changes(served: Served) -> None:
    with served.client() as client:
        for _ in range(20):
            assert client.request("test/kept", {"size": 3}) == "xxx"
        assert served.count("kept") == 1
        client.request("test/kept", {"size": 4})
        assert served.count("kept") == 2
        write(served)
        assert client.request("test/kept", {"size": 3}) == "xxx"
        assert served.count("kept") == 3


def test_one_client_s_answer_serves_the_others(served: Served) -> None:
    clients = [served.client() for _ in range(64)]
    try:
        clients[0].request("test/kept", {"size": 30_000})
        for client in clients:
            for number in range(5):
                client.send("test/kept", {"size": 30_000}, id=number)
        for client in clients:
            assert [len(client.result(number)) for number in range(5)] == [30_000] * 5
        assert served.count("kept") == 1
    finally:
        for client in clients:
            client.close()


def test_clients_that_ask_the_same_at_the_same_time_share_one_read(served: Served) -> None:
    clients = [served.client() for _ in range(10)]
    try:
        requests = [client.send("test/shared") for client in clients]
        wait_until(lambda: served.count("shared"), "the read")
        for client in clients:
            client.request("ccdash/hello")
        clients[0].notify("$/cancelRequest", {"id": requests[0]})
        with pytest.raises(RpcError):
            clients[0].result(requests[0])
        write(served)
        late = clients[0].send("test/shared")
        clients[0].request("ccdash/hello")
        served.release.set()
        for client, request in zip(clients[1:], requests[1:], strict=True):
            assert client.result(request) is True
        assert clients[0].result(late) is True
        assert served.count("shared") == 2, "one before the commit, one after it"
    finally:
        for client in clients:
            client.close()


def test_min_revision_waits_for_the_commit(served: Served) -> None:
    with served.client() as client:
        wanted = client.request("ccdash/hello")["revision"] + 1
        request = client.send("test/kept", {"size": 1, "minRevision": wanted})
        client.request("ccdash/hello")
        assert served.count("kept") == 0
        write(served)
        assert client.result(request) == "x"


def test_min_revision_that_does_not_come_is_an_error(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "REVISION_WAIT", 0.05)
    with served.client() as client, pytest.raises(RpcError) as caught:
        client.request("test/big", {"minRevision": 10_000})
    assert caught.value.code == -32004
    assert caught.value.data["reason"] == "stale revision"
    assert "10000" in caught.value.message


def test_reads_wait_for_no_heavy_query(served: Served) -> None:
    with served.client() as client:
        heavy = client.send("test/endless")
        wait_until(lambda: served.count("endless"), "the heavy query")
        for _ in range(20):
            assert client.request("test/big", {"size": 1}) == "x"
        client.notify("$/cancelRequest", {"id": heavy})
        with pytest.raises(RpcError):
            client.result(heavy)


def test_reads_run_beside_the_event_loop(served: Served) -> None:
    with served.client() as client:
        held = client.send("test/held")
        wait_until(lambda: served.count("held"), "the read")
        assert client.request("ccdash/hello")["pid"]
        served.release.set()
        assert client.result(held) is True


def test_a_request_is_logged_without_its_body(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "ccdashd"), served.client() as client:
        client.request("sessions/list", {"text": "very private"})
    fields = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "request"]
    assert any(field["method"] == "sessions/list" and field["bytes"] > 10 for field in fields)
    assert "very private" not in caplog.text + str(fields)


def test_a_damaged_cache_is_made_anew_while_the_daemon_serves(served: Served) -> None:
    with served.client() as client:
        client.request("projects/list")
        before = threading.active_count()
        served.soon(served.app.damaged, "a test says so")
        kept = wait_until(lambda: list(served.paths.cache_dir.glob("cache.db.corrupt-*")), "the old file")
        wait_until(lambda: served.app.is_open, "the new cache")
        assert client.request("projects/list")["items"] == []
        assert len(kept) >= 1
        wait_until(lambda: threading.active_count() <= before + 1, "the old threads' end")


def test_a_cache_that_cannot_be_opened_is_told_and_tried_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccdashd.app.RETRY", 0.05)
    served.paths.cache_dir.chmod(0o755)
    with served.client() as client:
        served.soon(served.app.damaged, "a test says so")
        wait_until(lambda: client.request("ccdash/status")["state"] == "degraded", "the problem")
        with pytest.raises(RpcError) as caught:
            client.request("projects/list")
        assert caught.value.code == -32004
        assert "chmod 700" in caught.value.message
        served.paths.cache_dir.chmod(0o700)
        wait_until(lambda: client.request("ccdash/status")["problems"] == [], "recovery")
        assert client.request("projects/list")["items"] == []


def write(served: Served) -> None:
    """Commit something, as the pipeline does."""

    async def commit() -> None:
        def put(connection: sa.Connection) -> str | None:
            put_meta(connection, "test", str(time.monotonic_ns()))
            return get_meta(connection, "test")

        assert await served.app.database.write(put)
        served.app.events.publish([], served.app.database.revision)

    served.do(commit)
