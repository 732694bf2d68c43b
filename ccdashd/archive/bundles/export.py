"""The process that writes a bundle; see `helper`."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import msgspec

from ccdashd import helper
from ccdashd.archive.archive import Archive
from ccdashd.archive.bundles import contents
from ccdashd.archive.bundles.contents import Source, Unreadable
from ccdashd.archive.bundles.edits import redacted_line
from ccdashd.archive.bundles.manifest import FORMAT, Document, Log, Manifest, Session, is_log
from ccdashd.archive.bundles.messages import (
    DocumentSource,
    Exported,
    ExportJob,
    LogSource,
    Refused,
    Work,
    answers,
    encode,
)
from ccdashd.archive.bundles.writing import Writer
from ccdashd.edits.decisions import portable
from ccdashd.redact import Redactor

_decode = msgspec.msgpack.Decoder(ExportJob).decode
_manifest = msgspec.json.Encoder().encode


class _Export:
    """One run of the job."""

    def __init__(self, job: ExportJob, writer: Writer) -> None:
        self._job = job
        self._writer = writer
        self._redactor = Redactor(job.home) if job.redact else None
        self._archive = Archive(os.fsdecode(job.archive))
        self._roots = [os.fsdecode(root) for root in job.roots]
        self._logs: list[Log] = []
        self._places: set[str] = set()
        self._documents: list[Document] = []
        self._problems: list[tuple[str, str]] = []
        self._redacted_files = 0

    def run(self) -> Work:
        job = self._job
        for log in job.logs:
            try:
                yield from self._log(log)
            except Unreadable as error:
                self._problems.append((_shown(log.path)[0], str(error)))
        for document in job.documents:
            try:
                yield from self._document(document)
            except Unreadable as error:
                self._problems.append((f"{document.root}/{document.path}", str(error)))
        edits = job.edits if self._redactor is None else [redacted_line(line, self._redactor) for line in job.edits]
        journal = yield from self._writer.add("journal.jsonl", edits)
        manifest = Manifest(
            format=FORMAT,
            ccdash=job.ccdash,
            exported_at=job.exported_at,
            what=job.what,
            id=self._clean(job.id) if job.id is not None else None,
            home=self._clean(job.home),
            redacted=job.redact,
            sessions=list(map(self._session, job.sessions)),
            logs=self._logs,
            documents=self._documents,
            journal=journal,
        )
        size = self._writer.finish(_manifest(manifest), replace=job.replace)
        return Exported(
            bytes=size,
            logs=len(self._places),
            documents=len(self._documents),
            redactions=self._counts(),
            redacted_files=self._redacted_files,
            problems=self._problems,
        )

    def _log(self, log: LogSource) -> Generator[int, None, None]:
        """Put all versions of a log in."""
        path = os.fsdecode(log.path)
        place = contents.place(path, self._roots)
        place = self._clean(place) if place is not None else None
        if place is None or not is_log(place):
            raise Unreadable("its path is none that a log has")
        if place in self._places:
            raise Unreadable("another log has the same path below the agent's folder")
        for source in contents.versions(self._archive, path):
            version = yield from self._version(source, place, log.session)
            self._logs.append(version)
            self._places.add(place)

    def _version(self, source: Source, place: str, session: str) -> Generator[int, None, Log]:
        before = sum(self._counts().values())
        pieces, meta = source.pieces, source.meta
        if self._redactor is not None:
            pieces = contents.redacted_log(pieces, self._redactor)
            meta = self._redactor.bytes(meta) if meta is not None else None
        file = yield from self._writer.add(f"logs/{len(self._logs) + 1:06}.jsonl", pieces)
        self._redacted_files += sum(self._counts().values()) > before
        shown, raw = _shown(os.fsencode(place))
        return Log(
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            path=shown,
            path_bytes=raw,
            session=session,
            mtime_ns=source.mtime_ns,
            meta=meta,
        )

    def _document(self, document: DocumentSource) -> Generator[int, None, None]:
        before = sum(self._counts().values())
        pieces = contents.document(f"{document.root.rstrip('/')}/{document.path}")
        if self._redactor is not None:
            pieces = contents.redacted_document(pieces, self._redactor)
        file = yield from self._writer.add(f"documents/{len(self._documents) + 1:06}.md", pieces)
        self._redacted_files += sum(self._counts().values()) > before
        root = self._clean(portable(document.root, self._job.home))
        self._documents.append(
            Document(name=file.name, size=file.size, sha256=file.sha256, path=self._clean(document.path), root=root)
        )

    def _session(self, session: Session) -> Session:
        root = self._clean(portable(session.root, self._job.home))
        return msgspec.structs.replace(session, title=self._clean(session.title), root=root)

    def _clean(self, text: str) -> str:
        return self._redactor.text(text) if self._redactor is not None else text

    def _counts(self) -> dict[str, int]:
        return self._redactor.counts if self._redactor is not None else {}


def _shown(path: bytes) -> tuple[str, bytes | None]:
    """A path for people, and its bytes where that does not tell them."""
    shown = path.decode("utf-8", "replace")
    return shown, None if shown.encode() == path else path


def _size(log: LogSource) -> int:
    try:
        return os.stat(log.path).st_size
    except OSError:
        return 0


def work(data: bytes) -> Iterator[bytes]:
    """Do the job. Raises OSError where the bundle cannot be written."""
    job = _decode(data)
    target = os.fsdecode(job.target)
    try:
        if not job.replace and os.path.lexists(target):
            raise FileExistsError
        with Writer(target) as writer:
            yield from answers(_Export(job, writer).run(), sum(map(_size, job.logs)))
    except BlockingIOError:
        yield encode(Refused("busy", "another export is writing it"))
    except FileExistsError:
        yield encode(Refused("exists", "it is there already"))


if __name__ == "__main__":
    helper.serve(work)
