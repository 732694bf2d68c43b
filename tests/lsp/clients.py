"""Real editors' capabilities as they were recorded, and the oracle for what is sent to them: `lsprotocol`."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from lsprotocol import converters, types

RECORDED = sorted(
    file.name.removesuffix(".json")
    for file in resources.files("pytest_lsp.clients").iterdir()
    if file.name.endswith(".json")
)
"""Names of clients, such as ``neovim_v0.7.0``."""


def initialize(client: str, **others: Any) -> dict[str, Any]:
    """The parameters of ``initialize`` of a recorded client."""
    text = (resources.files("pytest_lsp.clients") / f"{client}.json").read_text(encoding="utf-8")
    recorded = json.loads(text)
    return {
        "processId": None,
        "clientInfo": recorded["clientInfo"],
        "rootUri": None,
        "capabilities": recorded["capabilities"],
        **others,
    }


@cache
def _converter() -> Any:
    return converters.get_converter()


def structured(method: str, result: Any) -> Any:
    """The result of a request as the protocol's own types have it. Raises where it does not fit them."""
    response = types.METHOD_TO_TYPES[method][1]
    return _converter().structure({"jsonrpc": "2.0", "id": 1, "result": result}, response).result


def noted(method: str, params: Any) -> Any:
    """A notification to the client, likewise."""
    return _converter().structure({"jsonrpc": "2.0", "method": method, "params": params}, types.METHOD_TO_TYPES[method][0])


def asked(method: str, message: dict[str, Any]) -> Any:
    """A request to the client, likewise."""
    return _converter().structure(message, types.METHOD_TO_TYPES[method][0])


def converted(value: Any, shape: type) -> Any:
    """A value that the protocol leaves open, as one of its types."""
    return _converter().structure(value, shape)
