"""Tool calls with a purpose: on this file, with this text. Those at random are in `tools`."""

from __future__ import annotations

from ccdash.demo.text import escape
from ccdash.demo.tools import Use


def read_text(path: str, text: str) -> Use:
    """A Read of a whole file."""
    lines = text.splitlines()
    numbered = escape("\n".join(f"{number:6d}→{line}" for number, line in enumerate(lines, 1)))
    path, content = escape(path), escape(text)
    return Use(
        "Read",
        f'{{"file_path":"{path}"}}',
        f'"{numbered}"',
        f'{{"type":"text","file":{{"filePath":"{path}","content":"{content}","numLines":{len(lines)},'
        f'"startLine":1,"totalLines":{len(lines)}}}}}',
    )


def write_text(path: str, text: str) -> Use:
    """A Write of a new file."""
    path, content = escape(path), escape(text)
    return Use(
        "Write",
        f'{{"file_path":"{path}","content":"{content}"}}',
        f'"File created successfully at: {path}"',
        f'{{"type":"create","filePath":"{path}","content":"{content}","structuredPatch":[],"originalFile":null}}',
        path,
    )


def edit_text(path: str, text: str, old: str, new: str) -> Use:
    """An Edit that makes `new` of `old` in a file, whose text is `text` afterwards."""
    line = text[: text.index(new)].count("\n") + 1
    removed, added = old.splitlines(), new.splitlines()
    body = '","'.join(escape(line) for line in (*(f"-{line}" for line in removed), *(f"+{line}" for line in added)))
    hunk = f'{{"oldStart":{line},"oldLines":{len(removed)},"newStart":{line},"newLines":{len(added)},"lines":["{body}"]}}'
    path, before, old, new = escape(path), escape(text.replace(new, old, 1)), escape(old), escape(new)
    return Use(
        "Edit",
        f'{{"replace_all":false,"file_path":"{path}","old_string":"{old}","new_string":"{new}"}}',
        f'"The file {path} has been updated."',
        f'{{"filePath":"{path}","oldString":"{old}","newString":"{new}","originalFile":"{before}",'
        f'"structuredPatch":[{hunk}],"userModified":false,"replaceAll":false}}',
        path,
    )


def commit(branch: str, digest: str, subject: str, files: int, lines: int) -> Use:
    """A commit, and what git says of it."""
    command = escape(f'git add -A && git commit -m "{subject}"')
    changed = f"{files} file{'s' if files > 1 else ''} changed, {lines} insertions(+), {lines // 3} deletions(-)"
    text = escape(f"[{branch} {digest}] {subject}\n {changed}")
    return Use(
        "Bash",
        f'{{"command":"{command}","description":"Commit"}}',
        f'"{text}"',
        f'{{"stdout":"{text}","stderr":"","interrupted":false,"isImage":false}}',
    )
