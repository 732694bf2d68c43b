"""The service manager's two protocols: sockets handed over (sd_listen_fds(3)) and news of us (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

FIRST_FD = 3


def listen_fds(environ: MutableMapping[str, str] = os.environ) -> list[int]:
    """The sockets that were passed to this very process; the variables are removed, so that no child takes them."""
    try:
        mine = int(environ.get("LISTEN_PID", "")) == os.getpid()
        count = int(environ.get("LISTEN_FDS", ""))
    except ValueError:
        mine, count = False, 0
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        environ.pop(name, None)
    if not mine:
        return []
    fds = list(range(FIRST_FD, FIRST_FD + count))
    for fd in fds:
        os.set_inheritable(fd, False)
    return fds


class Notifier:
    """Tells the service manager how we are. Does nothing where there is none."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = environ.pop("NOTIFY_SOCKET", "")
        self._status = ""
        self.watchdog_seconds = _watchdog(environ)
        """The service manager kills us when it hears nothing for so long; None: it does not watch."""

    @property
    def listening(self) -> bool:
        """Whether there is a service manager that listens."""
        return bool(self._address)

    def ready(self) -> None:
        """We serve."""
        self._send("READY=1")

    def stopping(self) -> None:
        """We are about to end."""
        self._send("STOPPING=1\nSTATUS=Stopping")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What ``systemctl status`` shows; sent only when it changed."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), address)


def _watchdog(environ: MutableMapping[str, str]) -> float | None:
    limit, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    if not limit.isdigit() or int(limit) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(limit) / 1e6
