"""Every error that the client library raises, and the one that the command raises.

Error                    what went wrong and the next step, in sentences for people
├── NotRunning           no daemon answers, and none was started
├── StartFailed          a daemon was started but does not answer
├── ConnectionLost       the connection broke in the middle
├── Timeout              no answer in time
├── RpcError             the daemon answered with an error: code, message, data
├── NotThere             nothing is called as the command line says
└── UsageError           the command line makes no sense (exit code 2)
"""

from __future__ import annotations

from typing import Any, ClassVar

INVALID_PARAMS = -32602
NOT_FOUND = -32001
CONFLICT = -32002
BUSY = -32004
SHUTTING_DOWN = -32006
CLIENT_OUTDATED = -32011


class Error(Exception):
    """Base of all errors of this package; its text is shown to the user as it is."""

    exit_code: ClassVar[int] = 1


class NotRunning(Error):
    """Raised when no daemon answers and the caller wanted none started."""


class StartFailed(Error):
    """Raised when a started daemon does not answer in time, or ends at once; tells what its log says."""


class ConnectionLost(Error):
    """Raised when the daemon closes the connection, or it breaks."""


class NotTheProtocol(ConnectionLost):
    """Raised when what comes over the socket are no frames of JSON-RPC: something else listens there."""


class Timeout(Error):
    """Raised when an answer takes longer than the caller wanted to wait. The request was cancelled."""


class RpcError(Error):
    """Raised when the daemon answers a request with an error; `code` and `data` are those of the wire."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def details(self) -> dict[str, Any]:
        """`data`, where it is an object."""
        return self.data if isinstance(self.data, dict) else {}


class NotThere(Error):
    """Raised for a name that nothing has; proposes what may be meant, or says what lists the names."""


class UsageError(Error):
    """Raised for arguments that cannot be meant."""

    exit_code: ClassVar[int] = 2
