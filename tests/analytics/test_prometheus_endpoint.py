"""The endpoint: one path for one method, for those on this machine who know its name, however they behave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from ccdashd.analytics import endpoint
from ccdashd.analytics.endpoint import HEAD_CAP, MAX_CONNECTIONS, Endpoint
from ccdashd.errors import Busy

GOOD = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def served(test: Callable[[Endpoint], Awaitable[None]], expose: Callable[[], Awaitable[bytes]] | None = None) -> None:
    """Run a test against an endpoint."""

    async def plain() -> bytes:
        return b"ccdash_up 1\n"

    async def run() -> None:
        listening = Endpoint(0, expose or plain)
        await listening.start()
        try:
            await asyncio.wait_for(test(listening), 20)
        finally:
            await listening.stop()

    asyncio.run(run())


async def connect(listening: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    assert listening.url is not None
    parts = urlsplit(listening.url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection is closed, in whatever way."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def ask(listening: Endpoint, request: str | bytes) -> tuple[str, dict[str, str], bytes]:
    """The status line, the head and the body of the answer."""
    reader, writer = await connect(listening)
    writer.write(request.encode("latin-1") if isinstance(request, str) else request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


def test_a_scrape() -> None:
    async def test(listening: Endpoint) -> None:
        assert listening.url is not None
        assert listening.url.startswith("http://127.0.0.1:")
        status, head, body = await ask(listening, GOOD)
        assert (status, body) == ("HTTP/1.1 200 OK", b"ccdash_up 1\n")
        assert head["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert head["Content-Length"] == "12"

    served(test)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (GOOD.replace("127.0.0.1", "LocalHost:9464"), "200"),
        (GOOD.replace("127.0.0.1", "[::1]:1"), "200"),
        (GOOD.replace("/metrics", "/metrics?name=x"), "200"),
        (GOOD.replace("GET", "POST"), "405"),
        (GOOD.replace("GET", "HEAD"), "405"),
        (GOOD.replace("/metrics", "/"), "404"),
        (GOOD.replace("/metrics", "/metrics/../etc/passwd"), "404"),
        (GOOD.replace("127.0.0.1", "evil.example"), "421"),
        (GOOD.replace("127.0.0.1", "127.0.0.1.evil.example"), "421"),
        (GOOD.replace("127.0.0.1", "localhost:9464@evil.example"), "421"),
        (GOOD.replace("127.0.0.1", ""), "421"),
        (GOOD.replace("Host: 127.0.0.1\r\n", ""), "400"),
        (GOOD.replace("\r\n\r\n", "\r\nHost: evil.example\r\n\r\n"), "400"),
        (GOOD.replace("HTTP/1.1", "HTTP/2"), "400"),
        ("\xff\0\r\n\r\n", "400"),
        (b"GET /metrics HTTP/1.1\r\n" + b"x: " + b"y" * HEAD_CAP + b"\r\n\r\n", "431"),
    ],
)
def test_who_asks_for_what(request_: str | bytes, status: str) -> None:
    async def test(listening: Endpoint) -> None:
        said, head, body = await ask(listening, request_)
        assert said.split()[1] == status
        assert len(body) == int(head["Content-Length"])
        assert body.endswith(b"\n")
        assert (body == b"ccdash_up 1\n") == (status == "200")

    served(test)


def test_what_cannot_be_told_is_said_so() -> None:
    async def busy() -> bytes:
        raise Busy("metrics cannot be told now", reason="metrics")

    async def broken() -> bytes:
        raise RuntimeError("secret")

    async def test_busy(listening: Endpoint) -> None:
        status, _, body = await ask(listening, GOOD)
        assert (status, body) == ("HTTP/1.1 503 Service Unavailable", b"metrics cannot be told now\n")

    async def test_broken(listening: Endpoint) -> None:
        status, _, body = await ask(listening, GOOD)
        assert status == "HTTP/1.1 500 Internal Server Error"
        assert b"secret" not in body

    served(test_busy, busy)
    served(test_broken, broken)


def test_those_who_ask_nothing_are_few_and_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE", 0.2)

    async def test(listening: Endpoint) -> None:
        silent = [await connect(listening) for _ in range(MAX_CONNECTIONS + 1)]
        reader, writer = silent.pop()
        assert await reader.read() == b"", "one too many is closed"
        writer.close()
        for reader, writer in silent:
            assert await rest(reader) == b""
            writer.close()
        assert (await ask(listening, GOOD))[0] == "HTTP/1.1 200 OK"

    served(test)


def test_it_ends_while_somebody_waits() -> None:
    async def test(listening: Endpoint) -> None:
        reader, writer = await connect(listening)
        writer.write(GOOD[:10].encode())
        assert (await ask(listening, GOOD))[0] == "HTTP/1.1 200 OK"
        await listening.stop()
        assert listening.url is None
        assert await rest(reader) == b""
        writer.close()

    served(test)


def test_a_port_in_use_is_an_error() -> None:
    async def test(listening: Endpoint) -> None:
        assert listening.url is not None
        second = Endpoint(urlsplit(listening.url).port or 0, listening._expose)
        with pytest.raises(OSError, match="in use"):
            await second.start()
        assert second.url is None
        await second.stop()

    served(test)
