"""Fixtures of tests of the archive."""

from __future__ import annotations

from tests.rpc.conftest import serve

__all__ = ["serve"]
