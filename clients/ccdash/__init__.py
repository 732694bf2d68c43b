"""Clients of the ccdash daemon: the client library and the ``ccdash`` command."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ccdashd import __version__

if TYPE_CHECKING:
    from ccdash.autostart import connect
    from ccdash.client import Client, Notification
    from ccdash.errors import Error, RpcError

__all__ = ["Client", "Error", "Notification", "RpcError", "__version__", "connect"]

_HOMES = {
    "connect": "ccdash.autostart",
    "Client": "ccdash.client",
    "Notification": "ccdash.client",
    "Error": "ccdash.errors",
    "RpcError": "ccdash.errors",
}


def __getattr__(name: str) -> object:
    # On demand, so that a process that wants one module does not pay for all.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
