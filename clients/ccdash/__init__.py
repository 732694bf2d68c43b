"""Clients of the ccdash daemon: the client library and the ``ccdash`` command."""

from ccdashd import __version__

__all__ = ["__version__"]
