"""Files made for editors to show: renderings in the cache folder, which only the user can read."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ccdashd.errors import ReadOnly, Unsupported
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.text import uri_of
from ccdashd.protocol import lsp
from ccdashd.rendering.pages import Rendered
from ccdashd.runtime import RuntimeProblem, private_folder

if TYPE_CHECKING:
    from ccdashd.app import App

KEPT: Final = 50
"""Renderings that are kept, the newest."""

_HARMLESS: Final = re.compile(r"[A-Za-z0-9_][\w.-]{0,99}", re.ASCII)
_OTHER: Final = re.compile(r"[^\w.-]+", re.ASCII)


def write(app: App, name: str, rendered: Rendered) -> str:
    """Write a rendering; returns its path. Raises `ReadOnly`."""
    folder = app.paths.cache_dir / "transcripts"
    path = folder / f"{file_name(name)}.md"
    beside = folder / f"{secrets.token_hex(8)}.tmp"
    try:
        private_folder(folder)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8", errors="replace") as file:
            file.write(rendered.text)
        os.replace(beside, path)
        _drop_old(folder)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ReadOnly(f"what is to be shown cannot be written to the cache folder: {error.strerror}") from error
    except RuntimeProblem as error:
        raise ReadOnly(str(error)) from error
    return str(path)


def file_name(name: str) -> str:
    """The name itself where that is harmless; else what can be read of it, and what tells it from others."""
    if _HARMLESS.fullmatch(name):
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
    return f"{_OTHER.sub('_', name)[-80:].lstrip('.-')}-{digest}"


def _drop_old(folder: Path) -> None:
    def age(entry: os.DirEntry[str]) -> int:
        try:
            return entry.stat(follow_symlinks=False).st_mtime_ns
        except FileNotFoundError:
            return 0  # another rendering took its place meanwhile

    with os.scandir(folder) as entries:
        newest = sorted(entries, key=age, reverse=True)
    for entry in newest[KEPT:]:
        with suppress(FileNotFoundError):
            os.unlink(entry.path)


async def show(editor: Editor, path: str, line: int = 0) -> bool:
    """Have the editor open a file at a line; False where it does not."""
    if not editor.client.show_document:
        return False
    start = lsp.Position(line=line, character=0)
    wanted = lsp.ShowDocument(uri=uri_of(path), selection=lsp.Range(start=start, end=start))
    try:
        answer = await editor.ask("window/showDocument", wanted, Any)
    except Unsupported:
        return False
    return isinstance(answer, dict) and answer.get("success") is True


def tell(editor: Editor, message: str) -> None:
    """Say something where the user sees it."""
    # Some editors make links of Markdown in messages, also such as run commands.
    editor.notify("window/showMessage", lsp.ShowMessage(type=3, message=message.replace("](", "] (")))
