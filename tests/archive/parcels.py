"""Bundles that tests make: sound ones as ccdash writes them, and such as nobody should trust."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from ccdashd.archive.archive import Archive
from ccdashd.archive.bundles import export, importing
from ccdashd.archive.bundles.frames import END, frame, header, padding, seal
from ccdashd.archive.bundles.manifest import NAME, Session
from ccdashd.archive.bundles.messages import (
    Answer,
    CheckJob,
    DocumentSource,
    ExportJob,
    LogSource,
    Progress,
    Take,
    TakeJob,
    decode_answer,
    encode,
)
from ccdashd.archive.bundles.reading import Reader
from tests.archive.world import NOW

HOME = "/home/mona"
ID = "0f3c9d1e-5b7a-4c8d-9e2f-1a2b3c4d5e6f"
LOG = f"-home-mona-shop/{ID}.jsonl"
AGENT = f"-home-mona-shop/{ID}/subagents/agent-a1.jsonl"


def answers(work: Iterator[bytes]) -> Answer:
    """The last answer of a job."""
    return [answer for body in work if not isinstance(answer := decode_answer(body), Progress)][-1]


class Parcel:
    """Logs, an archive and a project below a folder, and the bundle that is made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "projects"
        self.archive = Archive(folder / "archive")
        self.target = folder / "x.tar.zst"

    def log(self, place: str, data: bytes) -> Path:
        path = self.logs / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def job(
        self, *places: str, documents: tuple[str, ...] = (), edits: tuple[bytes, ...] = (), **options: Any
    ) -> ExportJob:
        ids = {place: ID + ("/agent-a1" if "agent-" in place else "") for place in places}
        sessions = [Session(id=id, title=f"Title of {id}", agent="claude-code", root=f"{HOME}/shop") for id in ids.values()]
        given = {
            "target": os.fsencode(self.target),
            "replace": True,
            "archive": os.fsencode(self.archive.folder),
            "roots": [os.fsencode(self.logs)],
            "home": HOME,
            "redact": False,
            "ccdash": "0.1.0",
            "exported_at": NOW,
            "what": "all",
            "id": None,
            "sessions": sessions,
            "logs": [LogSource(os.fsencode(self.logs / place), id) for place, id in ids.items()],
            "documents": [DocumentSource(str(self.folder / "shop"), path) for path in documents],
            "edits": list(edits),
        }
        return ExportJob(**(given | options))

    def export(self, *places: str, **options: Any) -> Answer:
        return answers(export.work(encode(self.job(*places, **options))))

    def check(self, path: Path | None = None) -> Answer:
        return answers(importing.work(self.check_job(path)))

    def check_job(self, path: Path | None = None) -> bytes:
        with Reader(os.fspath(path or self.target)) as reader:
            digest = reader.manifest_hash
        return encode(CheckJob(os.fsencode(path or self.target), os.fsencode(self.archive.folder), digest, []))

    def take_job(self, into: Archive, folder: str = "/new") -> bytes:
        """Put all logs of the bundle into an archive, below `folder`."""
        with Reader(os.fspath(self.target)) as reader:
            digest, logs = reader.manifest_hash, reader.manifest.logs
        takes: dict[str, list[str]] = {}
        for log in logs:
            takes.setdefault(f"{folder}/{log.path}", []).append(log.name)
        wanted = [Take(os.fsencode(path), names, False) for path, names in takes.items()]
        return encode(
            TakeJob(os.fsencode(self.target), os.fsencode(into.folder), digest, wanted, [], "2026-03-02T12:00:00.000Z")
        )

    def take(self, into: Archive, folder: str = "/new") -> Answer:
        return answers(importing.work(self.take_job(into, folder)))


def tar_of(path: Path) -> bytes:
    """The tar archive in a bundle."""
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes()), read_across_frames=True) as stream:
        return stream.read()


def sealed(data: bytes) -> bytes:
    """These frames, as if that were what was written."""
    return data + seal(hashlib.sha256(data).digest())


def file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def manifest(*files: tuple[str, bytes], **changes: Any) -> dict[str, Any]:
    """What a manifest says of these logs, and of an empty journal."""
    logs = [
        {
            "name": name,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "path": LOG,
            "session": ID,
            "mtimeNs": 5,
        }
        for name, data in files
    ]
    said = {
        "format": 1,
        "ccdash": "0.1.0",
        "exportedAt": NOW,
        "what": "all",
        "id": None,
        "home": HOME,
        "redacted": False,
        "sessions": [{"id": ID, "title": "One", "agent": "claude-code", "root": "~/shop"}],
        "logs": logs,
        "documents": [],
        "journal": file("journal.jsonl", b""),
    }
    return said | changes


def member(name: str, data: bytes) -> bytes:
    return header(name, len(data)) + data + padding(len(data))


def forged(said: dict[str, Any], *members: bytes, end: bytes = END) -> bytes:
    """A bundle of this manifest and these members of the tar, with a seal that fits."""
    data = msgspec.json.encode(said)
    return sealed(frame(member(NAME, data) + b"".join(members) + end))
