"""One client's wire: one answer per request, and no client harms the others."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ccdashd.protocol import types as t
from ccdashd.rpc import connection
from ccdashd.runtime import memory_bytes
from tests.helpers import Client, Closed, RpcError, framed, wait_until
from tests.rpc.conftest import Served

MB = 1024 * 1024


def error_of(client: Client, method: str, params: Any = None) -> RpcError:
    with pytest.raises(RpcError) as caught:
        client.request(method, params)
    return caught.value


def test_a_request_without_params_or_hello_is_answered(served: Served) -> None:
    with served.client() as client:
        assert client.request("ccdash/status")["state"] in ("ok", "indexing")
        client.raw(framed({"jsonrpc": "2.0", "id": "n", "method": "projects/list", "params": None}))
        assert client.result("n")["items"] == []


def test_broken_json_gets_a_parse_error_with_null_id_and_the_connection_goes_on(served: Served) -> None:
    with served.client() as client:
        for body in (b"{nope", b"", b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', b"[" * 100_000):
            client.raw(framed(body))
            answer = client.message()
            assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        assert client.request("ccdash/hello")["protocol"] == 1


@pytest.mark.parametrize(
    ("message", "id"),
    [
        ([], None),
        ([{"jsonrpc": "2.0", "id": 1, "method": "ccdash/hello"}], None),
        ("text", None),
        ({"id": 7, "method": "ccdash/hello"}, 7),
        ({"jsonrpc": "1.0", "id": 7, "method": "ccdash/hello"}, 7),
        ({"jsonrpc": "2.0", "id": True, "method": "ccdash/hello"}, None),
        ({"jsonrpc": "2.0", "id": [1], "method": "ccdash/hello"}, None),
        ({"jsonrpc": "2.0", "id": 7, "method": 5}, 7),
        ({"jsonrpc": "2.0", "id": 7}, 7),
    ],
)
def test_what_is_no_request_is_refused(served: Served, message: Any, id: Any) -> None:
    with served.client() as client:
        client.raw(framed(message))
        answer = client.message()
        assert (answer["id"], answer["error"]["code"]) == (id, -32600)


def test_responses_and_unknown_notifications_are_ignored(served: Served) -> None:
    with served.client() as client:
        client.raw(framed({"jsonrpc": "2.0", "id": 1, "result": None}))
        client.raw(framed({"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": ""}}))
        client.notify("$/setTrace", {"value": "off"})
        client.notify("$/cancelRequest", [1])
        client.notify("$/cancelRequest", {"id": {"a": 1}})
        client.notify("$/cancelRequest")
        client.request("ccdash/hello")
        assert (client.answers, client.notifications) == ({}, [])


def test_nested_jsonrpc_keys_are_data(served: Served) -> None:
    with served.client() as client:
        error = error_of(client, "sessions/get", {"id": {"jsonrpc": "2.0", "method": "tools/call", "id": 3}})
        assert error.data["field"] == "id"
        assert error.data["got"] == {"jsonrpc": "2.0", "method": "tools/call", "id": 3}


def test_headers_are_case_insensitive_and_the_space_is_optional(served: Served) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ccdash/hello"}).encode()
    with served.client() as client:
        for header in (b"content-length:%d", b"CONTENT-LENGTH:  %d ", b"Content-Type: a; b=c\r\nContent-Length: %d"):
            client.raw(header % len(body) + b"\r\n\r\n" + body)
            assert client.result(1)["pid"]


def test_a_message_in_pieces_and_many_in_one_piece(served: Served) -> None:
    message = framed({"jsonrpc": "2.0", "id": "slow", "method": "ccdash/hello"})
    with served.client() as client:
        for byte in message:
            client.raw(bytes([byte]))
        assert client.result("slow")["pid"]
        client.raw(b"".join(framed({"jsonrpc": "2.0", "id": n, "method": "ccdash/hello"}) for n in range(1000)))
        assert all(client.result(n)["pid"] for n in range(1000))


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"Content-Length: 5x\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 4294967296\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"no colon\r\n\r\n",
        b"x" * 9000,
    ],
)
def test_an_unreadable_stream_is_refused_with_a_reason_then_closed(
    served: Served, garbage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER", 0.05)
    with served.client() as other, served.client() as client:
        client.raw(garbage)
        answer = client.message()
        assert (answer["id"], answer["error"]["code"]) == (None, -32600)
        with pytest.raises(Closed):
            client.message()
        assert other.request("ccdash/hello")["pid"]


def test_a_four_gigabyte_message_is_refused_without_holding_what_is_streamed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER", 0.5)
    before = memory_bytes()
    with served.client() as client:
        client.raw(b"Content-Length: 4294967296\r\n\r\n")
        assert "4294967296" in client.message()["error"]["message"]
        with pytest.raises(OSError):
            for _ in range(400):
                client.raw(b"x" * MB)
            wait_until(lambda: client.raw(b"x" * MB), "the end of the connection", 5)
    assert memory_bytes() - before < 30 * MB


def test_a_frame_above_the_cap_is_refused_and_one_below_it_is_not(serve: Callable[..., Served]) -> None:
    served = serve(frame_cap_bytes="4096")
    with served.client() as client:
        assert error_of(client, "ccdash/hello", {"client": "x" * 3900, "nope": 1}).code == -32602
        client.send("ccdash/hello", {"client": "x" * 4096})
        assert client.message()["error"]["data"] == {"limit": 4096}


def test_an_unfinished_message_harms_no_one_and_ends_with_its_client(served: Served) -> None:
    client = served.client()
    client.raw(b"Content-Length: 500\r\n\r\n{")
    with served.client() as other:
        assert other.request("ccdash/hello")["pid"]
        client.close()
        wait_until(lambda: served.app.server.clients == 1, "the connection's end")


def test_unknown_method(served: Served) -> None:
    with served.client() as client:
        error = error_of(client, "sessions/nope")
        assert (error.code, error.data) == (-32601, {"method": "sessions/nope"})


def test_an_unexpected_failure_shows_an_id_and_nothing_else(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with served.client() as client:
        for method in ("test/broken", "test/unencodable"):
            error = error_of(client, method)
            assert error.code == -32603
            assert set(error.data) == {"id"}
            assert "secret" not in error.message
            record = next(record for record in caplog.records if error.data["id"] in str(vars(record).get("fields")))
            assert record.exc_info


def test_cancel_ends_the_request_and_interrupts_its_sql(served: Served) -> None:
    with served.client() as client:
        for _ in range(3):
            request = client.send("test/endless")
            wait_until(lambda: served.count("endless"), "the query")
            client.notify("$/cancelRequest", {"id": request})
            with pytest.raises(RpcError) as caught:
                client.result(request)
            assert caught.value.code == -32800
            served.calls.clear()
        # The only heavy reader is free again: the interrupted query does not run on.
        assert client.request("ccdash/doctor")["total"] == 0


def test_cancel_before_the_first_step_and_of_a_waiting_request(served: Served) -> None:
    with served.client() as client:
        message = framed({"jsonrpc": "2.0", "id": "c", "method": "test/waits"})
        client.raw(message + framed({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "c"}}))
        with pytest.raises(RpcError) as caught:
            client.result("c")
        assert caught.value.code == -32800
        requests = [client.send("test/waits") for _ in range(10)]
        for request in reversed(requests):
            client.notify("$/cancelRequest", {"id": request})
        for request in requests:
            with pytest.raises(RpcError):
                client.result(request)
        client.request("ccdash/hello")
        assert not client.answers


def test_an_id_that_is_still_in_flight_is_refused_and_the_first_request_still_answered(served: Served) -> None:
    with served.client() as client:
        client.send("test/held", id="twice")
        client.send("ccdash/hello", id="twice")
        with pytest.raises(RpcError) as caught:
            client.result("twice")
        assert caught.value.code == -32600
        served.release.set()
        assert client.result("twice") is True
        client.send("ccdash/hello", id="twice")
        assert client.result("twice")["pid"]


def test_requests_in_flight_are_capped_and_all_are_answered(served: Served) -> None:
    asked = connection.MAX_IN_FLIGHT + 50
    with served.client() as client, served.client() as other:
        for number in range(asked):
            client.send("test/held", id=f"r{number}")
        wait_until(
            lambda: max(one.in_flight for one in served.app.server._connections) == connection.MAX_IN_FLIGHT, "the cap"
        )
        assert served.count("held") <= connection.AT_ONCE
        assert other.request("ccdash/hello")["pid"]
        served.release.set()
        assert all(client.result(f"r{number}") is True for number in range(asked))


def test_eof_and_exit_end_one_connection_and_what_runs_for_it(served: Served) -> None:
    with served.client() as other:
        for leave in (lambda client: client.close(), lambda client: client.notify("exit")):
            client = served.client()
            client.send("test/endless")
            wait_until(lambda: served.count("endless"), "the query")
            leave(client)
            wait_until(lambda: served.app.server.clients == 1, "the connection's end")
            client.close()
            served.calls.clear()
        assert other.request("ccdash/doctor")["total"] == 0


def test_a_client_that_never_reads_is_held_back_in_bounded_memory(serve: Callable[..., Served]) -> None:
    served = serve(subscriber_backlog="65536")
    with served.client() as other, served.client() as client:
        client.request("test/kept", {"size": 100_000})
        before = memory_bytes()
        client.socket.setblocking(False)
        sent = 0
        message = framed({"jsonrpc": "2.0", "id": 0, "method": "test/kept", "params": {"size": 100_000}})
        with pytest.raises(BlockingIOError):
            while sent < 100_000:
                client.socket.sendall(message)
                sent += 1
        assert other.request("ccdash/hello")["pid"]
        assert memory_bytes() - before < 30 * MB
        # When it reads again, what it asked is answered.
        client.socket.setblocking(True)
        client.socket.settimeout(10)
        assert len(client.message()["result"]) == 100_000


def test_uncached_answers_wait_too_until_the_client_reads(serve: Callable[..., Served]) -> None:
    served = serve(subscriber_backlog="65536")
    with served.client() as client:
        requests = [client.send("test/big", {"size": MB}) for _ in range(40)]
        wait_until(lambda: served.count("big") >= 1, "the first answer")
        assert len(client.result(requests[0])) == MB
        assert served.count("big") < 20
        assert all(len(client.result(request)) == MB for request in requests[1:])


def test_a_subscriber_that_falls_behind_gets_one_missed_notification(serve: Callable[..., Served]) -> None:
    served = serve(subscriber_backlog="65536")
    with served.client() as other, served.client() as client:
        for one in (client, other):
            one.request("ccdash/subscribe", {"topics": ["sessions", "indexing", "transcript:s"]})
        entry = "e" * 20_000
        for number in range(1, 201):
            served.soon(served.app.events.publish, [t.Change(type="session", id=entry, op="upsert")], number)
            served.soon(served.app.events.transcript, "s", [], number)
            other.notification("ccdash/changed")
            other.notification("ccdash/transcript")
        got: list[dict[str, Any]] = []
        while not got or not (got[-1]["missed"] and got[-1]["revision"] == 200):
            got.append(client.notification("ccdash/changed"))
        assert [one["missed"] for one in got].count(True) == 1
        assert len(got) < 100
        assert got[-1]["changes"] == []
        transcript: list[dict[str, Any]] = []
        while not transcript or not transcript[-1]["missed"]:
            transcript.append(client.notification("ccdash/transcript"))
        assert transcript[-1] == {"sessionId": "s", "entries": [], "revision": 200, "missed": True}
        served.soon(served.app.events.publish, [t.Change(type="session", id="next", op="upsert")], 201)
        assert client.notification("ccdash/changed")["missed"] is False


def test_lsp_initialize_shutdown_exit(served: Served) -> None:
    with served.client() as client:
        result = client.request("initialize", {"processId": None, "capabilities": {}, "rootUri": None})
        assert result["serverInfo"]["name"] == "ccdashd"
        client.notify("initialized", {})
        assert client.request("ccdash/hello")["pid"]
        assert error_of(client, "initialize", {"capabilities": {}}).code == -32600
        assert client.request("shutdown") is None
        assert error_of(client, "ccdash/hello").code == -32600
        client.notify("exit")
        with pytest.raises(Closed):
            client.message()


def test_requests_are_refused_while_the_daemon_stops(served: Served) -> None:
    with served.client() as client:
        client.request("ccdash/hello")
        served.app.server.stopping = True
        assert error_of(client, "ccdash/hello").code == -32006


def test_draining_waits_for_what_runs(served: Served) -> None:
    with served.client() as client:
        request = client.send("test/held")
        wait_until(lambda: served.count("held"), "the request")
        threading.Timer(0.1, served.release.set).start()
        served.do(lambda: served.app.server.drain(10))
        assert client.result(request) is True


def test_what_still_runs_when_draining_ends_is_told_so(served: Served) -> None:
    with served.client() as client:
        request = client.send("test/waits")
        wait_until(lambda: served.count("waits"), "the request")
        served.do(lambda: served.app.server.drain(0.05))
        with pytest.raises(RpcError) as caught:
            client.result(request)
        assert caught.value.code == -32006
        with pytest.raises(Closed):
            client.message()
        with socket.socket(socket.AF_UNIX) as late, pytest.raises(ConnectionRefusedError):
            late.connect(str(served.path))
