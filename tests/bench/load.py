"""Requests from many connections at once, in processes of their own: ``python -m tests.bench.load SOCKET …``."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import percentile
from tests.bench.wire import cut, frame

PROCESSES = 2


@dataclass(frozen=True)
class Load:
    """What all processes reached together: requests a second, and seconds per request."""

    rate: float
    p50: float
    p99: float
    requests: int


def drive(path: Path, request: bytes, clients: int, seconds: float) -> Load:
    """Run `clients` connections, each with one request under way, for `seconds`."""
    argv = [sys.executable, "-m", "tests.bench.load", str(path), str(clients // PROCESSES), str(seconds)]
    running = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    outputs = [process.communicate(request.decode())[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a load process failed; see its message above")
    times = [seconds for output in outputs for seconds in json.loads(output)]
    return Load(len(times) / seconds, percentile(times, 0.5), percentile(times, 0.99), len(times))


def _work(path: str, clients: int, seconds: float, request: bytes) -> list[float]:
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(path)
        connected.sendall(frame("ccdash/hello", {"client": "bench"}))
        hello = bytearray()
        while cut(hello) is None:
            hello += connected.recv(1 << 16)
        selector.register(connected, selectors.EVENT_READ, [bytearray(), time.perf_counter()])
        connected.sendall(request)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(timeout=end - now):
            connected = key.fileobj  # type: ignore[assignment]
            buffer, began = key.data
            data = connected.recv(1 << 18)
            if not data:
                raise ConnectionError("the daemon closed a connection under load")
            buffer += data
            if (body := cut(buffer)) is not None:
                if b'"error":' in body[:200]:
                    raise RuntimeError(f"the daemon answered with an error under load: {body[:200].decode()}")
                times.append(time.perf_counter() - began)
                key.data[1] = time.perf_counter()
                connected.sendall(request)
    return times


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_work(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.stdin.buffer.read())))
