"""A daemon whose agents edit files: their logs, the files, and what it says of who wrote what."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers import Client, wait_until
from tests.rpc.conftest import Served
from tests.store.edited import Clock, Edited, Session

Lines = list[str | None]
"""Of each line the id of the call that wrote it."""


class BlameWorld:
    """One project at `root`; sessions work there unless they are told otherwise."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.logs = folder / ".claude" / "projects"
        self.folder = folder
        self.root = folder / "app"
        self.root.mkdir()
        self.clock = Clock()
        self._files = 0

    def session(self, cwd: Path | None = None, **more: Any) -> Session:
        return Session(self.clock, str(cwd or self.root), **more)

    def file(self, name: str = "") -> Edited:
        """A file that nobody wrote yet."""
        self._files += 1
        return Edited(str(self.root / (name or f"src/file{self._files}.py")))

    def save(self, file: Edited, *sessions: Session) -> None:
        """Put the file on disk, and the logs; wait until the daemon knows them."""
        self.put(file.path, file.text.encode())
        self.logged(*sessions)
        calls = {truth for truth in file.truth if truth is not None}
        wait_until(lambda: calls <= {c["toolUseId"] for c in self.blame(file.path)["changes"]} or None, "the changes")

    def logged(self, *sessions: Session) -> None:
        """Write the logs; wait until the daemon has read all of them."""
        for session in sessions:
            session.save(self.logs)
        with self.client() as client:
            for session in sessions:
                id = f"{session.id}/agent-{session.agent_id}" if session.agent_id else session.id
                wait_until(lambda id=id, session=session: self._read(client, id, len(session.records)), f"the log of {id}")

    def put(self, path: str, data: bytes) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)

    def blame(self, path: str, **params: Any) -> Any:
        with self.client() as client:
            return client.request("files/blame", {"path": path, **params})

    def lines(self, path: str, **params: Any) -> Lines:
        return lines_of(self.blame(path, **params))

    def client(self) -> Client:
        return self.served.client()

    def _read(self, client: Client, id: str, records: int) -> bool:
        found = client.request("sessions/list", {"limit": 500, "includeSubagents": True, "includeEmpty": True})["items"]
        return any(row["id"] == id and row["records"] >= records for row in found)


def lines_of(blame: Any) -> Lines:
    """Of each line the id of the call that wrote it."""
    found: Lines = [None] * blame["lines"]
    for block in blame["blocks"]:
        for number in range(block["start"] - 1, block["end"]):
            found[number] = blame["changes"][block["change"]]["toolUseId"]
    return found


@contextmanager
def blame_world() -> Iterator[BlameWorld]:
    """A running daemon that knows no session yet."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        (Path(folder) / ".claude" / "projects").mkdir(parents=True)
        served = Served(Path(folder))
        try:
            served.start()
            yield BlameWorld(served, Path(folder))
        finally:
            served.stop()
