"""Where in a text something is that should not be shown: one function for each way of finding it. Pure.

Each takes linear time: it looks for a fixed string, and from there on no further than once.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ccdashd.redact.patterns import (
    ASSIGNMENT,
    AUTHORIZATION_REST,
    FORMS,
    KEY_LINE,
    NEEDLES,
    PRIVATE_KEY,
    PRIVATE_KEY_REST,
    SCHEMES,
    URL_PASSWORD_REST,
    Form,
    assigned,
    is_random,
    named,
)

USER: Final = "user"
"""The name that stands for that of whoever has a home folder."""

_EVERYBODY = frozenset({USER, "Shared", "Public", "Default"})

_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]++\.)+([A-Za-z]{2,24}+)(?![\w-])", re.ASCII)
_LOCAL = string.ascii_letters + string.digits + "._+%-"
_NOBODY = frozenset({"git", "noreply", "no-reply", "donotreply"})
"""Names before the ``@`` that are nobody's: of remotes, and of what commits are signed with."""

_RESERVED = ("example.com", "example.org", "example.net")
"""RFC 2606."""

_NO_DOMAIN = re.compile(
    r"png|jpe?g|gif|svg|webp|ico|[mc]?js|tsx?|jsx|jsonl?|py|md|css|html|txt|xml|ya?ml|toml|lock|service|socket|timer|target|"
    r"tgz|gz|zip|whl|local|localhost|test|invalid|example",
    re.IGNORECASE,
)
"""Endings of files and units, as in ``logo@2x.png``, and of domains that nobody has (RFC 2606)."""

_NAME = re.compile(r"\w(?:[\w.-]*\w)?")
_WINDOWS_NAME = re.compile(
    r"[\\/]++([^\s\\/:*?\"<>|](?:[^\\/:*?\"<>|\r\n]{0,62}[^\s\\/:*?\"<>|])?(?=[\\/])|\w(?:[\w.-]*\w)?)"
)
_SLUG_NAME = re.compile(r"[A-Za-z0-9]++")
_ABOVE_HOME = re.compile(r"(?:^|[^\w.~-])(?:/var|/export|/System/Volumes/Data|/host_mnt|(?:/mnt)?/[a-z])$")
"""``/mnt/c`` is Windows' drive in WSL, ``/c`` in Git's shell, ``/var/home`` is that of image-based Linux."""

_DRIVE = re.compile(r"(?:^|[^A-Za-z])[A-Za-z]:[\\/]+$")
_COLOUR = re.compile(r"\[[\d;]{0,9}m")
"""The end of what sets a terminal's colour."""

_NO_SLUG = re.compile(r"[^A-Za-z0-9]")

_LONG = 256
"""Characters from which on a value is long."""

_ESCAPES = "nrtbf"
"""After a backslash they are line ends and the like, and no letters of the word that follows."""


class Find(NamedTuple):
    """What is to be taken out, and what comes in its place."""

    start: int
    end: int
    kind: str
    place: str


Finder = Callable[[str, str], Iterator[Find]]
"""Takes a text, and the same in small letters."""


def finders(home: str) -> list[tuple[tuple[str, ...], Finder]]:
    """What finds, for the user with that home folder, and before each the strings, in small letters, of which one must be
    in a text for it. What comes first counts where two begin at the same place."""
    home = home.rstrip("/\\")
    slug = _NO_SLUG.sub("-", home)
    own: list[tuple[tuple[str, ...], Finder]] = [
        ((home.lower(),), lambda text, _: _own_home(text, home, f"/home/{USER}", "/.~")),
        ((slug.lower(),), lambda text, _: _own_home(text, slug, f"-home-{USER}", "-")),
    ]
    return [
        ((PRIVATE_KEY.lower(),), _private_keys),
        *((tuple(map(str.lower, form.prefixes)), _finder(form)) for form in FORMS),
        (("://",), _url_passwords),
        (SCHEMES, _authorizations),
        (NEEDLES, _assignments),
        (("@",), _mails),
        *(own if home else ()),
        (("\\users", ":/users"), _windows_homes),
        (("/home/", "/users/"), _homes),
        (("-home-", "-users-"), _slugs),
    ]


def mark(kind: str) -> str:
    """What comes in the place of a secret."""
    return f"[redacted:{kind}]"


def _places(text: str, needle: str) -> Iterator[int]:
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + 1)


def _begins(text: str, at: int, also: str = "-") -> bool:
    """Whether a word begins there; characters of `also` are of words as well."""
    before = text[at - 1] if at else " "
    if not (before.isalnum() or before == "_" or before in also):
        return True
    if text[at - 2 : at - 1] == "\\" and before in _ESCAPES:
        return True
    return before == "m" and any(colour.end() == at for colour in _COLOUR.finditer(text, max(0, at - 12), at))


def _finder(form: Form) -> Finder:
    def find(text: str, _small: str) -> Iterator[Find]:
        for prefix in form.prefixes:
            end = 0
            for at in _places(text, prefix):
                found = form.rest.match(text, at + len(prefix)) if at >= end and _begins(text, at) else None
                if found is not None:
                    end = found.end()
                    yield Find(found.start(1) if form.rest.groups else at, end, form.kind, mark(form.kind))

    return find


def _private_keys(text: str, _small: str) -> Iterator[Find]:
    for at in _places(text, PRIVATE_KEY):
        found = PRIVATE_KEY_REST.match(text, at + len(PRIVATE_KEY))
        lines = list(KEY_LINE.finditer(found["body"])) if found is not None else []
        if found is not None and lines:
            # Torn off: what follows the last line of the key is not of it.
            end = found.end() if found["end"] is not None else found.start("body") + lines[-1].end()
            yield Find(at, end, "private-key", mark("private-key"))


def _url_passwords(text: str, _small: str) -> Iterator[Find]:
    for at in _places(text, "://"):
        found = URL_PASSWORD_REST.match(text, at + 3)
        if found is not None:
            yield Find(found.start("secret"), found.end(), "url-password", mark("url-password"))


def _authorizations(text: str, small: str) -> Iterator[Find]:
    for scheme in SCHEMES:
        for at in _places(small, scheme):
            found = AUTHORIZATION_REST.match(text, at + len(scheme))
            if found is None:
                continue
            header = "authorization" in small[max(0, at - 24) : at]
            if is_random(found["secret"]) or (header and len(found["secret"]) >= 32):
                yield Find(found.start("secret"), found.end(), "authorization", mark("authorization"))


def _assignments(text: str, small: str) -> Iterator[Find]:
    for needle in NEEDLES:
        end = 0
        for at in _places(small, needle):
            found = ASSIGNMENT.match(text, at) if at >= end else None
            if found is None:
                continue
            group = "quoted" if found["quote"] else "bare"
            value = found[group]
            kind = assigned(found["name"], value, quoted=group == "quoted") if named(text, at, found["name"]) else None
            if kind is not None:
                yield Find(found.start(group), found.end(group), kind, mark(kind))
            if kind is not None or len(value) > _LONG:
                end = found.end()  # what was looked through is not looked through again


def _mails(text: str, _small: str) -> Iterator[Find]:
    for at in _places(text, "@"):
        found = _DOMAIN.match(text, at + 1)
        if found is None:
            continue
        before = text[max(0, at - 64) : at]
        colours = [colour.end() for colour in _COLOUR.finditer(before)]
        name = before[max([len(before.rstrip(_LOCAL)), *colours]) :]
        start = at - len(name)
        if name[:1] in _ESCAPES and text[start - 1 : start] == "\\":
            name, start = name[1:], start + 1
        reserved = found[0].lower().endswith(_RESERVED) or _NO_DOMAIN.fullmatch(found[1]) is not None
        if name and name.lower() not in _NOBODY and not reserved:
            yield Find(start, found.end(), "email", mark("email"))


def _own_home(text: str, home: str, place: str, joined: str) -> Iterator[Find]:
    """The home folder itself, which need not lie where others do."""
    for at in _places(text, home):
        after = text[at + len(home) : at + len(home) + 1]
        if home != place and _begins(text, at, joined) and not (after.isalnum() or after == "_"):
            yield Find(at, at + len(home), "home-path", place)


def _user(found: re.Match[str] | None, group: int = 0) -> Iterator[Find]:
    if found is not None and found[group] not in _EVERYBODY:
        yield Find(found.start(group), found.end(group), "home-path", USER)


def _homes(text: str, _small: str) -> Iterator[Find]:
    for folder in ("/home/", "/Users/"):
        for at in _places(text, folder):
            if _begins(text, at, ".~-") or _ABOVE_HOME.search(text[max(0, at - 24) : at]):
                yield from _user(_NAME.match(text, at + len(folder)))


def _windows_homes(text: str, _small: str) -> Iterator[Find]:
    for at in _places(text, "Users"):
        if _DRIVE.search(text[max(0, at - 8) : at]):
            yield from _user(_WINDOWS_NAME.match(text, at + 5), 1)


def _slugs(text: str, _small: str) -> Iterator[Find]:
    """Home folders as Claude Code writes them into names of folders: ``-home-x-project``, ``C--Users-x-project``."""
    for folder in ("-home-", "-Users-"):
        for at in _places(text, folder):
            drive = text[at - 2 : at - 1].isalpha() and text[at - 1 : at] == "-" and _begins(text, at - 2)
            if drive or _begins(text, at):
                yield from _user(_SLUG_NAME.match(text, at + len(folder)))
