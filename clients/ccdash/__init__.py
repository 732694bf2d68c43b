"""Clients of the ccdash daemon: the client library and the ``ccdash`` command."""

from __future__ import annotations

from ccdashd import __version__

__all__ = ["Client", "Error", "Notification", "RpcError", "__version__", "connect"]


def __getattr__(name: str) -> object:
    # On demand, so that a process that wants one module does not pay for all.
    if name == "connect":
        from ccdash.autostart import connect

        return connect
    if name in ("Client", "Notification"):
        from ccdash import client

        return getattr(client, name)
    if name in ("Error", "RpcError"):
        from ccdash import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
