"""Words for a status: what a word in a file means, and which word to write into a file."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from ccdashd.sources.planning.model import STATUSES, Status

_MEANS: Final[dict[Status, str]] = {
    "todo": """
        todo to_do pending not_started notstarted unstarted not_yet_started draft drafting planning planned plan
        ready approved accepted proposed proposal idea ideation concept open new queued backlog scheduled upcoming
        stub shaping next specified refined triaged reopened planning_complete design_complete plan_complete
        spec_complete prd_complete requirements_complete""",
    "in_progress": """
        in_progress inprogress progress active started wip work_in_progress doing ongoing underway under_way working
        current_work developing development in_development active_development implementing investigating research
        researching partial partially incomplete at_risk in_flight executing not_complete not_completed not_done
        not_finished mostly_done 🔄 🚧 ⏳""",
    "review": """
        review in_review under_review reviewing code_review needs_review awaiting_review pending_review
        ready_for_review awaiting_approval pending_approval pending_verification ready_for_merge ready_for_qa
        ready_for_testing testing in_testing qa in_qa uat verifying in_verification validating validation 👀""",
    "done": """
        done complete completed finished closed fixed implemented shipped released deployed merged met passed pass
        verified validated resolved delivered deviated signed_off signedoff inferred_complete inferred_completed
        final finalized finalised concluded decided authoritative published stable current frozen reference live
        success successful x research_complete analysis_complete spike_complete spike_resolved
        implementation_complete verification_complete investigation_complete exploration_complete review_complete
        testing_complete code_complete feature_complete all_done""",
    "blocked": "blocked waiting stuck failed failing failure error broken impeded 🚫 ⛔ ❌",
    "deferred": "deferred postponed skipped skip future later someday on_hold hold paused parked delayed carried_over ⏭ ⏸",
    "archived": """
        archived archive superseded deprecated obsolete replaced cancelled canceled rejected declined abandoned
        retired withdrawn dropped descoped out_of_scope removed duplicate invalid wont_do wont_fix wontfix wontdo
        not_needed not_applicable no_longer_needed""",
}

_BY_WORD: Final[dict[str, Status]] = {word: status for status, words in _MEANS.items() for word in words.split()}

_DECISIONS: Final = frozenset({"accepted", "approved"})
"""Words that end the work on a decision record, where for a plan the work begins with them."""

_RULES: Final[tuple[tuple[str, Status], ...]] = (
    (r"(?:completed?|done|implemented|fixed)_(?:pending|awaiting|needs|but_not)_.+", "review"),
    (
        r"(?:pending|awaiting|needs|ready_for)_(?:\w+_)?(?:review|approval|verification|validation|testing|qa|merge)",
        "review",
    ),
    (r"(?:mostly|nearly|almost|partly|partially|functionally|substantially)_.+", "in_progress"),
    (r"phases?_[\w.]+_(?:complete|completed|done|in_progress|started)", "in_progress"),
    (r"(?:\w+_)?(?:analysis|investigation|research|review|exploration|verification)_(?:complete|completed|done)", "done"),
    (r"100%(?:_complete|_completed|_done)?", "done"),
    (r"0%(?:_complete|_completed|_done)?", "todo"),
    (r"\d{1,2}(?:\.\d+)?%(?:_complete|_completed|_done)?", "in_progress"),
    (r"in_progress_.+|in_(?:phase|wave|batch)_.+", "in_progress"),
    (r"ready_(?:for|to)_.+", "todo"),
    (r"(?:blocked|waiting)_(?:by|on|for)_.+", "blocked"),
    (r"(?:deferred|postponed|moved|pushed)_(?:to|until|by)_.+", "deferred"),
    (r"(?:superseded|replaced|obsoleted)_by_.+", "archived"),
    (r"(?:merged|folded)_into_.+", "done"),
    (r"(?:completed|complete|done|merged|shipped|released|resolved|fixed)_(?:in|on|at|by|with|via)_.+", "done"),
)

_PHRASES: Final = tuple((re.compile(pattern), status) for pattern, status in _RULES)

_CHECKS: Final = "✅✓✔☑"
_TRIM: Final = " \t\r\n*`'\"~_.!,;:\ufe0f"
_CUT: Final = re.compile("\\s+[-\u2013\u2014\u2192]+\\s+|\\s*[(\\[,;:|\u2013\u2014\u2192/]\\s*|[.!]\\s")
_SPACE: Final = re.compile(r"[\s_\-]+")

_LONGEST: Final = 60
"""Characters of a word that others are compared with."""

_SPELLED: Final = [word for word in _BY_WORD if len(word) > 2 and word.isascii()]

_PLAIN: Final = re.compile(r"[A-Za-z]+(?:[ _-][A-Za-z]+)*")

MARKS: Final[dict[str, Status]] = {
    " ": "todo",
    "x": "done",
    "X": "done",
    "/": "in_progress",
    "~": "in_progress",
    "-": "in_progress",
    ">": "deferred",
    "!": "blocked",
}
"""What stands in a box ``[ ]``: x and blank by CommonMark's task lists, the others as editors' task plugins have them."""

_WRITTEN: Final[dict[Status, tuple[str, ...]]] = {
    "todo": ("pending", "not_started", "todo", "draft", "planned", "planning", "open", "backlog", "ready"),
    "in_progress": ("in_progress", "active", "started", "wip", "doing"),
    "review": ("review", "in_review"),
    "done": ("completed", "complete", "done"),
    "blocked": ("blocked",),
    "deferred": ("deferred", "postponed", "on_hold"),
    "archived": ("archived", "superseded", "cancelled"),
}
"""Words to write, in the order of preference: of a word that a file has already, the plain ones are taken up again."""


def read_status(raw: str, kind: str = "") -> Status:
    """What a word from a file means, ``unknown`` where that is not known. `kind` is the type of document it stands in.

    Case, emphasis, and blanks, ``-`` and ``_`` between words make no difference, nor does what follows the word after a
    dash, comma, colon or parenthesis.
    """
    found = _BY_WORD.get(raw)
    if found is None:
        found = _read(raw)
    if kind == "adr" and found == "todo" and _key(raw) in _DECISIONS:
        return "done"
    return found


def _read(raw: str) -> Status:
    if len(raw) > 500:
        return "unknown"
    text = raw.strip(_TRIM)
    bare = text.strip(_CHECKS + _TRIM)
    if not bare:
        return "done" if text else "unknown"
    for part in (bare, _CUT.split(bare, maxsplit=1)[0]):
        key = _key(part)
        if key in _BY_WORD:
            return _BY_WORD[key]
        for pattern, status in _PHRASES:
            if pattern.fullmatch(key):
                return status
    first, _, rest = bare.partition(" ")
    if first.strip("\ufe0f") in _BY_WORD and not first[0].isalnum():  # a sign before the word: 🚧 In Progress
        said = _read(rest)
        return said if said != "unknown" else _BY_WORD[first.strip("\ufe0f")]
    return "unknown"


def _key(raw: str) -> str:
    return _SPACE.sub("_", raw.strip(_CHECKS + _TRIM).casefold().replace("'", "").replace("\u2019", "")).strip("_")


def near(raw: str) -> list[str]:
    """Known words that an unknown one may have been meant for, the likeliest first: those spelled alike, and the first
    one that it holds."""
    key = _key(raw[:_LONGEST])
    found = difflib.get_close_matches(key, _SPELLED, n=3, cutoff=0.75)
    inside = (word for word in key.split("_") if word in _SPELLED)
    return list(dict.fromkeys([*found, *islice(inside, 1)]))


def word_for(status: Status, like: Iterable[str], kind: str = "") -> str:
    """The word to write for a status into a file that has the words `like` already, as they stand there.

    It is the plain word for this status that the file has most often; else the usual word, in the case and with the
    separator of the others. `kind` is ``task``, or the type of the document whose status it is. Raises ValueError for a
    status that cannot be written.
    """
    words = [word for word in like if word]
    plain = _WRITTEN.get(status)
    if plain is None:
        raise ValueError(f"there is no word for the status {status!r}; choose one of: {', '.join(_WRITTEN)}")
    mine = Counter(word for word in words if _PLAIN.fullmatch(word) and _key(word) in plain)
    if mine:
        return mine.most_common(1)[0][0]
    usual = (
        "draft"
        if status == "todo" and kind in ("prd", "implementation_plan", "phase_plan", "design_spec", "adr")
        else plain[0]
    )
    return _in_style(usual, words)


def _in_style(word: str, like: list[str]) -> str:
    separators = Counter(sign for other in like for sign in "_- " if sign in other.strip())
    if separators:
        word = word.replace("_", separators.most_common(1)[0][0])
    letters = [other for other in like if any(char.isalpha() for char in other)]
    if letters and all(other.isupper() for other in letters):
        return word.upper()
    if letters and all(other.istitle() for other in letters):
        return word.title()
    if letters and all(other[:1].isupper() for other in letters):
        return word.capitalize()
    return word


def mark_for(status: Status, like: Iterable[str]) -> str:
    """The sign to put into a box for a status, where the file has the signs `like` already.

    Raises ValueError where a box cannot say it.
    """
    fitting = [sign for sign in MARKS if MARKS[sign] == status]
    if not fitting:
        known = ", ".join(status for status in STATUSES if status in MARKS.values())
        raise ValueError(f"a box cannot say {status!r}; it can say: {known}")
    used = Counter(sign for sign in like if sign in fitting)
    return used.most_common(1)[0][0] if used else fitting[0]


def parse_wanted(word: str) -> tuple[Status, str | None]:
    """What a user wants a status to be: the status, and the word to write where the user gave one of their own.

    The names of the statuses themselves leave the word to the file. Raises ValueError for a word that means no status, and
    for what could not be a plain word in a file.
    """
    wanted = word.strip()
    for status in STATUSES:
        if wanted == status and status != "unknown":
            return status, None
    plain = re.fullmatch(r"[\w%][\w %.\-]{0,59}", wanted)
    meant = read_status(wanted) if plain else "unknown"
    if meant == "unknown":
        known = ", ".join(status for status in STATUSES if status != "unknown")
        raise ValueError(f"{word[:60]!r} means no status; choose one of: {known}, or a word for one, such as completed")
    return meant, wanted
