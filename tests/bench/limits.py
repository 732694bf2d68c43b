"""Bounds measured in the same run: what the machine, the language and the wire cost by themselves."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import yaml

from tests.bench.report import percentile
from tests.bench.wire import Wire

ECHO = r"""
import asyncio, sys
import msgspec

class Request(msgspec.Struct):
    id: int
    method: str
    params: msgspec.Raw = msgspec.Raw(b"null")

class Answer(msgspec.Struct):
    id: int
    result: str
    jsonrpc: str = "2.0"

async def serve(reader, writer):
    decoder, text = msgspec.json.Decoder(Request), "x" * int(sys.argv[2])
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.partition(b":")[2]))
            data = msgspec.json.encode(Answer(decoder.decode(body).id, text))
            writer.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_unix_server(serve, sys.argv[1])
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def read_all(files: list[Path]) -> float:
    """Seconds to read every byte and do nothing with it."""
    began = time.perf_counter()
    buffer = bytearray(1 << 20)
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - began


def decode_all(files: list[Path]) -> tuple[float, float]:
    """Seconds to decode every line in one process, into the few fields that nobody can do without: by the clock, and
    of processor time."""
    decoder = msgspec.json.Decoder(_Line)
    began, cpu = time.perf_counter(), time.process_time()
    for path in files:
        for line in path.read_bytes().split(b"\n"):
            if line:
                decoder.decode(line)
    return time.perf_counter() - began, time.process_time() - cpu


class _Line(msgspec.Struct):
    type: str
    uuid: str | None = None
    timestamp: str | None = None
    message: msgspec.Raw = msgspec.Raw(b"null")


def compose_all(files: list[Path]) -> tuple[float, float]:
    """Seconds to read every file and to let libyaml compose what stands between its first two lines ``---``, in one
    process: by the clock, and of processor time. Frontmatter that is no YAML is composed as far as it goes."""
    began, cpu = time.perf_counter(), time.process_time()
    for path in files:
        data = path.read_bytes()
        end = data.find(b"\n---\n", 3) if data.startswith(b"---\n") else -1
        if end > 0:
            with suppress(yaml.YAMLError):
                yaml.compose(data[4:end], Loader=yaml.CSafeLoader)
    return time.perf_counter() - began, time.process_time() - cpu


def start_python(runs: int = 15) -> float:
    """Seconds to start an interpreter that does nothing, median."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
        times.append(time.perf_counter() - began)
    return percentile(times, 0.5)


@contextmanager
def echo(size: int) -> Iterator[Path]:
    """The socket of a server that does nothing but decode a request and send `size` bytes: asyncio and msgspec, bare."""
    with tempfile.TemporaryDirectory(prefix="cce") as folder:
        path = Path(folder) / "s"
        argv = [sys.executable, "-c", ECHO, str(path), str(size)]
        server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            server.stdout.readline()
            yield path
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def echo_roundtrip(request: bytes, size: int, runs: int = 1500) -> tuple[float, float]:
    """Seconds per round trip with an answer of `size` bytes over a bare server: p50 and p99."""
    with echo(size) as path, Wire(path) as wire:
        times = [wire.roundtrip(request)[0] for _ in range(runs)]
    return percentile(times, 0.5), percentile(times, 0.99)
