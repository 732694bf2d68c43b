"""The client library against a socket that says whatever a test wants."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

import ccdash
from ccdash.client import HEADER_MAX, PROTOCOL, Client, Notification, dial
from ccdash.errors import ConnectionLost, NotTheProtocol, RpcError, Timeout
from ccdashd.paths import Paths
from ccdashd.protocol import methods
from tests.cli.daemon import Failure, FakeDaemon, Raw, Silence, frame


@pytest.fixture
def client(fake: FakeDaemon, paths: Paths) -> Iterator[Client]:
    with dial(paths.socket, 5) as client:
        yield client


@pytest.fixture
def pair() -> Iterator[tuple[Client, socket.socket]]:
    """A client, and the daemon's end of its connection."""
    ours, theirs = socket.socketpair()
    with Client(ours) as client, theirs:
        yield client, theirs


def test_the_protocol_number_is_the_daemons() -> None:
    assert PROTOCOL == methods.PROTOCOL


def test_the_package_offers_the_library() -> None:
    assert ccdash.Client is Client
    assert ccdash.Notification is Notification
    assert ccdash.RpcError is RpcError
    assert callable(ccdash.connect)
    with pytest.raises(AttributeError, match="nothing"):
        _ = ccdash.nothing


def test_a_request_returns_its_result(client: Client, fake: FakeDaemon) -> None:
    fake.answers["sessions/list"] = lambda params: {"echo": params}
    assert client.request("sessions/list", {"text": "ü\ud800"}) == {"echo": {"text": "ü\ud800"}}


def test_a_request_without_parameters_sends_none(client: Client, fake: FakeDaemon) -> None:
    client.request("ccdash/status")
    assert fake.params("ccdash/status") is None


def test_an_error_keeps_code_message_and_data(client: Client, fake: FakeDaemon) -> None:
    def fail(params: object) -> None:
        raise Failure(-32001, "no session 'x'", {"type": "session", "id": "x"})

    fake.answers["sessions/get"] = fail
    with pytest.raises(RpcError, match="no session 'x'") as caught:
        client.request("sessions/get", {"id": "x"})
    assert (caught.value.code, caught.value.data) == (-32001, {"type": "session", "id": "x"})


def test_the_connection_goes_on_after_an_error(client: Client) -> None:
    with pytest.raises(RpcError):
        client.request("no/such")
    assert client.request("ccdash/status")["pid"] == 42


def test_notifications_before_an_answer_are_kept(client: Client, fake: FakeDaemon) -> None:
    fake.before["ccdash/status"] = [("ccdash/changed", {"revision": 1}), ("ccdash/changed", {"revision": 2})]
    client.request("ccdash/status")
    assert [said.params["revision"] for said in client.notifications(0.05)] == [1, 2]


def test_notifications_during_a_request_go_to_the_callback(client: Client, fake: FakeDaemon) -> None:
    fake.before["ccdash/status"] = [("ccdash/indexing", {"revision": 1})]
    heard: list[Notification] = []
    client.on_notification = heard.append
    client.request("ccdash/status")
    assert heard == [("ccdash/indexing", {"revision": 1})]
    assert list(client.notifications(0.05)) == []


def test_a_late_answer_is_cancelled_and_forgotten(client: Client, fake: FakeDaemon) -> None:
    def silent(params: object) -> None:
        raise Silence

    fake.answers["cache/verify"] = silent
    waits: list[float] = []
    client.on_wait = waits.append
    with pytest.raises(Timeout, match="cache/verify"):
        client.request("cache/verify", timeout=0.25)
    assert waits and waits == sorted(waits)
    client.request("ccdash/status")
    assert ("$/cancelRequest", {"id": 1}) in fake.asked


def test_an_answer_to_a_request_that_was_given_up_is_skipped(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    with pytest.raises(Timeout):
        client.request("a", timeout=0.01)
    theirs.sendall(frame({"jsonrpc": "2.0", "id": 1, "result": "late"}) + frame({"jsonrpc": "2.0", "id": 2, "result": 7}))
    assert client.request("b") == 7


def test_a_frame_in_pieces_survives_a_time_out(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    whole = frame({"jsonrpc": "2.0", "method": "ccdash/changed", "params": {"revision": 3}})
    theirs.sendall(whole[:30])
    assert list(client.notifications(0.05)) == []
    theirs.sendall(whole[30:])
    assert next(client.notifications(5)).params == {"revision": 3}


def test_header_names_are_read_in_any_case_among_others(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    theirs.sendall(b'Content-Type: x\r\ncontent-length:36\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{}}')
    assert client.request("a") == {}


def test_an_error_without_id_belongs_to_the_request(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    theirs.sendall(frame({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "not JSON"}}))
    with pytest.raises(RpcError, match="not JSON"):
        client.request("a")


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: 3\r\n\r\n{]}",
        b"Content-Length: 2\r\n\r\n[]",
        b"x" * (HEADER_MAX + 1),
    ],
    ids=["http", "length", "huge", "json", "array", "endless"],
)
def test_what_is_not_the_protocol_is_named_so(pair: tuple[Client, socket.socket], said: bytes) -> None:
    client, theirs = pair
    theirs.sendall(said)
    with pytest.raises(NotTheProtocol):
        client.request("a", timeout=5)


def test_the_end_of_the_connection_is_an_error(client: Client, fake: FakeDaemon) -> None:
    def cut(params: object) -> None:
        raise Raw(b"Content-Length: 100\r\n\r\n{")

    fake.answers["ccdash/status"] = cut
    with pytest.raises(ConnectionLost, match="closed the connection"):
        client.request("ccdash/status")


def test_writing_to_a_dead_daemon_is_an_error_of_ours(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    theirs.close()
    with pytest.raises(ConnectionLost):
        client.request("a")


def test_a_large_answer_comes_whole(client: Client, fake: FakeDaemon) -> None:
    fake.answers["sessions/transcript"] = {"text": "x" * 5_000_000}
    assert len(client.request("sessions/transcript")["text"]) == 5_000_000


def test_wait_closed_tells_whether_the_daemon_went(pair: tuple[Client, socket.socket]) -> None:
    client, theirs = pair
    assert not client.wait_closed(0.05)
    theirs.shutdown(socket.SHUT_RDWR)
    assert client.wait_closed(5)


def test_no_descriptor_is_left_open(fake: FakeDaemon, paths: Paths) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            dial(paths.socket.with_name("nothing"), 1)
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after == before
