"""What slash commands say of plans: which plan or feature, and which of its phases. Pure.

The commands are those of common workflows around plans: ``/dev:execute-phase 1-2 <plan>``, ``/dev:quick-feature <plan>``,
``/dev:implement-story``, ``/dev:complete-user-story``, ``/plan:plan-feature``, ``/fix:debug``, plans that are executed or
implemented by skills, and the recovery of sessions.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from ccdashd.derive.slugs import canonical
from ccdashd.sources.signals import markdown_paths

Meaning = Literal["command", "quick", "recovery", "mention"]
"""What a command does with a plan; ``mention`` where it is none of the known ones."""

_COMMANDS: Final[dict[str, Meaning]] = {
    "execute-phase": "command",
    "implement-phase": "command",
    "implement-story": "command",
    "complete-user-story": "command",
    "create-feature": "command",
    "new-feature": "command",
    "implement-feature": "command",
    "plan-feature": "command",
    "execute-plan": "command",
    "executing-plans": "command",
    "implement-plan": "command",
    "plan-implement": "command",
    "debug": "command",
    "quick-feature": "quick",
    "recovering-sessions": "recovery",
    "recover-sessions": "recovery",
}
"""Commands by their names without namespace."""

_NAMES_CAP: Final = 12
"""Slugs taken of one command."""

_QUOTES: Final = "\"'`@,;()[]<>"
_PHASE: Final = r"(?:\d{1,3}(?:\.\d{1,3})?|[mM]\d{1,3})"
_PHASES: Final = re.compile(
    rf"(?:^\W*+|\.md(?>\W*\s)|(?<![\w/.-])phases?\b)[\s=-]*+(?:phases?[\s=-]*+)?"
    rf"({_PHASE}(?:\s*(?:-|\u2013|&|,|\+|\band\b|\bto\b)\s*{_PHASE})*|all)(?![\w/-]|\.\w)",
    re.IGNORECASE,
)
"""Phases stand first, after the plan, or after the word."""

_SLUG: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9.]+)+", re.IGNORECASE)
_REQUEST: Final = re.compile(r"\bREQ-\d{8}-[a-z0-9]+(?:-[a-z0-9]+)*", re.IGNORECASE)
_NAMED: Final = frozenset({"--prd", "--feature", "--slug", "--plan", "--story"})


class Command(msgspec.Struct, frozen=True):
    """A slash command that may be about plans."""

    name: str
    """Without slash and namespace."""
    meaning: Meaning
    phases: str = ""
    """As written: ``3``, ``1-2``, ``1 & 2``, ``all``."""
    paths: tuple[str, ...] = ()
    """Markdown files among its arguments, as written."""
    slugs: tuple[str, ...] = ()
    """Canonical slugs that may be those of features."""
    requests: tuple[str, ...] = ()
    """Ids of requests (``REQ-20260110-app-01``)."""


def parse(line: str) -> Command:
    """What the line of a slash command says. Other commands than those above name plans at most."""
    first, _, arguments = line.partition(" ")
    name = first.lstrip("/").rpartition(":")[2].lower()
    meaning = _COMMANDS.get(name, "mention")
    paths = tuple(markdown_paths(arguments))
    if meaning == "mention":
        return Command(name, meaning, paths=paths)
    phases = _PHASES.search(arguments) if "phase" in name else None
    rest = arguments if phases is None else f"{arguments[: phases.start(1)]} {arguments[phases.end(1) :]}"
    requests = tuple(dict.fromkeys(f"REQ-{found[4:].lower()}" for found in _REQUEST.findall(rest)))
    slugs = _slugs(_REQUEST.sub(" ", rest))
    return Command(name, meaning, " ".join(phases[1].split()) if phases is not None else "", paths, slugs, requests)


def _slugs(arguments: str) -> tuple[str, ...]:
    """What may be a feature's name: words with a hyphen, folders, and what an option says is one."""
    found: dict[str, None] = {}
    option = False
    for word in arguments.split():
        name, equals, value = word.partition("=")
        if name in _NAMED and not equals:
            option = True
            continue
        bare = (value if name in _NAMED else word).strip(_QUOTES).rstrip("/.")
        last = bare.rpartition("/")[2]
        named = option or name in _NAMED or "/" in bare
        option = False
        if (word.startswith("-") and not equals) or last.endswith(".md") or not last:
            continue
        if (named and re.fullmatch(r"[\w.-]+", last)) or _SLUG.fullmatch(last):
            found[canonical(last)] = None
    return tuple(slug for slug in found if slug)[:_NAMES_CAP]
