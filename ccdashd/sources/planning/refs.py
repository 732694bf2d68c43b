"""References of a document to other files: in its frontmatter, and in its text as links and as paths set as code. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from ccdashd.sources.planning.body import Body
from ccdashd.sources.planning.fields import PATH_KEYS, clean_path, first_text, has
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Ref
from ccdashd.sources.planning.places import AGENT_FOLDERS, SUFFIXES
from ccdashd.sources.planning.yaml import Path, Value, text

MAX_REFS: Final = 300
"""References that are kept of one document; those of the frontmatter come first."""

_KEY: Final = re.compile(
    r"(?!commit_|pr_|ac_)(?:\w+_)?(?:refs?|references?|prds?|plans?|specs?|adrs?|spikes?|reports?|docs?|documents?|charter"
    r"|contracts?|briefs?|parents?|children|child|supersedes|superseded_by|replaces|sources?|depends_on|dependencies"
    r"|context_files|detail|implementation|request)|(?:related|lineage|linked)(?:_\w+)?"
)
_NOT_DOCUMENTS: Final = frozenset({"linked_sessions", "linked_tasks", "related_features", "linked_features"})
_URL: Final = re.compile(r"[a-z][a-z0-9+.\-]+://|(?:mailto|data|tel|javascript):", re.IGNORECASE)
_PATH: Final = re.compile(r"[^\s]*(?:/[^\s]+|\.[A-Za-z][A-Za-z0-9]{0,9}(?:#\S*)?)/?")
_LINK: Final = re.compile(rb"\]\([ \t]*<?([^\s()<>]{1,500})>?(?:[ \t]+[\"'(][^\r\n)]{0,500})?\)")
_CODE: Final = re.compile(rb"\.(?:md|markdown|mdc)(?:#[^`\s]{0,200})?`")
_PLACEHOLDER: Final = frozenset(" *{}<>[]$|")
"""What stands in patterns and examples of paths, not in paths."""

_AT_ROOT: Final = AGENT_FOLDERS | {"docs", "CLAUDE.md", "AGENTS.md", "GEMINI.md", "CHANGELOG.md"}
_ABSOLUTE: Final = re.compile(r"/(?:Users|home|root|tmp|var|etc|opt|usr|mnt|private|Volumes|workspace)/|~|[A-Za-z]:[\\/]")
"""How paths begin that lead out of a project; others that begin with ``/`` begin at its root."""


def resolve(raw: str, document: str, *, link: bool = False) -> str:
    """The path in the project that a reference in the document at path `document` means; empty where it leads out of it.

    Whether there is such a file is not known here. Paths begin at the root if they begin with ``/``, with the folder of the
    root that the document is in, or with a name that roots have; and, but in a `link`, if they name a folder. Others begin
    at the folder of the document.
    """
    if _URL.match(raw) or _ABSOLUTE.match(raw) or "*" in raw:
        return ""
    path = unquote(raw) if link else raw
    path = path.partition("#")[0].partition("?")[0]
    if not path:
        return ""
    top = path.partition("/")[0]
    relative = (link or top in (".", "..", path.rstrip("/"))) and top not in _AT_ROOT and top != document.partition("/")[0]
    folder = document.rpartition("/")[0]
    if relative and folder and not path.startswith("/"):
        path = f"{folder}/{path}"
    joined = posixpath.normpath(path).lstrip("/")
    return "" if joined in ("", ".", "..") or joined.startswith("../") else joined


def of_frontmatter(frontmatter: Frontmatter, document: str) -> list[Ref]:
    """Paths and addresses below keys that speak of other documents, at most `MAX_REFS`."""
    found: list[Ref] = []
    for key, value in frontmatter.values.items():
        if len(key) > 100 or key in _NOT_DOCUMENTS or not _KEY.fullmatch(key.lower().replace("-", "_")):
            continue
        for path, raw in _texts(value, (key,)):
            cleaned = raw.strip()[:1000] if _URL.match(raw) else clean_path(raw)
            if cleaned and (_PATH.fullmatch(cleaned) or _URL.match(cleaned)):
                ref = Ref(field=key, raw=cleaned, path=resolve(cleaned, document), line=frontmatter.line_of(path))
                found.append(ref)
                if len(found) == MAX_REFS:
                    return found
    return found


def of_body(body: Body, document: str, room: int) -> list[Ref]:
    """References in the text, each file once, at most `room`: links but to the web, and Markdown files set as code."""
    found: dict[str, Ref] = {}
    for place, raw, link in _in_text(body):
        if len(found) >= room:
            break
        path = resolve(raw, document, link=link)
        if path and path not in found and path != document:
            found[path] = Ref(field="body", raw=raw, path=path, line=body.line_at(place))
    return sorted(found.values(), key=lambda ref: ref.line)


def _in_text(body: Body) -> Iterator[tuple[int, str, bool]]:
    data = body.text
    for match in _CODE.finditer(data):
        start = data.rfind(b"`", max(match.start() - 300, 0), match.start()) + 1
        raw = data[start : match.end() - 1]
        if start and b"\n" not in raw and not body.is_code(start):
            path = raw.decode("utf-8", "replace").strip()
            if path and _PLACEHOLDER.isdisjoint(path):
                yield start, path.removeprefix("@"), False
    for match in _LINK.finditer(data):
        if not body.is_code(match.start()):
            target = match[1].decode("utf-8", "replace")
            if not target.startswith("#") and not _URL.match(target):
                yield match.start(), target, True


def _texts(value: Value, path: Path, depth: int = 0) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        named = first_text(value, PATH_KEYS)
        if named and depth:
            yield path, named
        elif depth < 3:
            for key, item in value.items():
                if key.endswith(SUFFIXES):  # a path with a remark behind an unquoted colon
                    yield (*path, key), key
                else:
                    yield from _texts(item, (*path, key), depth + 1)
    elif isinstance(value, list):
        for n, item in enumerate(value if depth < 3 else ()):
            yield from _texts(item, (*path, n), depth + 1)
    elif has(value):
        yield path, text(value)
