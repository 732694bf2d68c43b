"""What the made-up projects plan: features with phases and tasks, some done, some under way, one blocked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ccdash.demo.stories import BOOKS, GAME, NOTES, SHOP, WEATHER

State = Literal["todo", "in_progress", "review", "done", "blocked", "deferred"]
Form = Literal["list", "map", "quick"]
"""How tasks are written: a list in a progress file per phase, a map in one file for all phases, or boxes in a quick
feature's text."""

PLANS = "docs/project_plans"


@dataclass(frozen=True)
class Phase:
    """One phase. `flaw` is what its progress file shows of real ones: broken YAML, or completed with an open task."""

    title: str
    state: State
    tasks: tuple[tuple[State, str], ...]
    flaw: Literal["", "broken", "open"] = ""


@dataclass(frozen=True)
class Feature:
    """One feature of the project that was at `root` in the stories. `word` is the status in its PRD, as it is written;
    `state` what all of its files come to."""

    root: str
    slug: str
    title: str
    state: State
    word: str
    goal: str
    phases: tuple[Phase, ...]
    form: Form = "list"
    category: str = "features"
    priority: str = "medium"
    question: str = ""
    blocker: str = ""
    phase_plans: bool = False
    planned_in_session: bool = False
    """Whether its story is also that of its plans: the session writes them."""

    @property
    def prd(self) -> str:
        """Path of the document that says what is wanted; of a quick feature the only one."""
        if self.form == "quick":
            return f".claude/progress/quick-features/{self.slug}.md"
        return f"{PLANS}/PRDs/{self.category}/{self.slug}-v1.md"

    @property
    def plan(self) -> str:
        """Path of the plan; of a quick feature the only document."""
        return self.prd if self.form == "quick" else f"{PLANS}/implementation_plans/{self.category}/{self.slug}-v1.md"

    @property
    def current(self) -> int:
        """Number of the last phase that was begun, from 1."""
        return max(number for number, phase in enumerate(self.phases, 1) if phase.state != "todo" or number == 1)

    def progress(self, number: int) -> str:
        """Path of the file with the tasks of a phase."""
        if self.form == "quick":
            return self.prd
        name = "all-phases" if self.form == "map" else f"phase-{number}"
        return f".claude/progress/{self.slug}/{name}-progress.md"

    def task_id(self, phase: int, number: int) -> str:
        return f"{self.slug.partition('-')[0].upper()}-{phase}.{number}"


FEATURES = (
    Feature(
        BOOKS,
        "overdue-loans",
        "Overdue loans across time zones",
        "in_progress",
        "in-progress",
        "A loan is overdue when the day is over where the reader lives, not where the server stands.",
        (
            Phase(
                "All",
                "in_progress",
                (
                    ("done", "Compare due dates in the reader's own time zone"),
                    ("done", "Test a reader in Auckland"),
                    ("in_progress", "Test a reader in Honolulu"),
                    ("todo", "Excuse us to those who were reminded a day early"),
                ),
            ),
        ),
        form="quick",
        priority="high",
    ),
    Feature(
        BOOKS,
        "search",
        "Search of the catalogue in under 50 ms",
        "done",
        "completed",
        "Each search among 2 million titles answers within 50 ms.",
        (
            Phase(
                "Measure",
                "done",
                (("done", "Record 500 searches of a working day"), ("done", "Profile them with 2 million titles")),
            ),
            Phase(
                "Trigram index",
                "done",
                (
                    ("done", "Create the index without locking the table"),
                    ("done", "Rank exact titles first"),
                    ("deferred", "Search across alphabets"),
                ),
            ),
        ),
        category="enhancements",
    ),
    Feature(
        BOOKS,
        "reservations",
        "Reservations queue",
        "in_progress",
        "approved",
        "Readers reserve a book that is out. First come, first served, and a mail when it is back.",
        (
            Phase(
                "Queue",
                "done",
                (
                    ("done", "Keep one queue per title"),
                    ("done", "Refuse a second reservation by the same reader"),
                    ("done", "Hold a returned book for the first in the queue"),
                ),
            ),
            Phase(
                "Mail and cancelling",
                "in_progress",
                (
                    ("done", "Mail the first reader on return"),
                    ("done", "Let readers cancel"),
                    ("in_progress", "Pass the book on after three days"),
                ),
            ),
            Phase(
                "Place in the queue",
                "todo",
                (("todo", "Show readers their place"), ("todo", "Estimate when the book will be back")),
            ),
        ),
        question="May a reader reserve a book that stands on the shelf?",
    ),
    Feature(
        WEATHER,
        "rain-gauge",
        "Rain gauge in the station firmware",
        "in_progress",
        "approved",
        "The station reports millimetres of rain per minute, and no rain when only the mast shakes.",
        (
            Phase(
                "Count tips",
                "done",
                (
                    ("done", "Count tips on GPIO 14 in an interrupt"),
                    ("done", "Turn 0.2 mm per tip into millimetres per minute"),
                    ("done", "Store the counter across restarts"),
                ),
            ),
            Phase(
                "Hold-off against shakes",
                "in_progress",
                (
                    ("done", "Record tips and shakes for a windy week"),
                    ("done", "Ignore tips within 80 ms of the last one"),
                    ("review", "Log how many were ignored"),
                    ("todo", "Make the hold-off a setting"),
                ),
            ),
            Phase(
                "Calibration",
                "todo",
                (("todo", "Compare with the gauge at the airfield"), ("todo", "Correct for heavy rain")),
            ),
        ),
        priority="high",
        question="How does the funnel behave in frost?",
    ),
    Feature(
        WEATHER,
        "frost-warning",
        "Warning of frost in the morning",
        "todo",
        "draft",
        "Whoever asks for it gets a mail in the evening before a night with frost.",
        (
            Phase(
                "Forecast",
                "todo",
                (("todo", "Fetch the forecast for the station's valley"), ("todo", "Compare it with a year of own data")),
            ),
            Phase("Mail", "todo", (("todo", "Let readers subscribe"), ("todo", "Send one mail per night at most"))),
        ),
        priority="low",
        question="Whose forecast may be used, and what does it cost?",
    ),
    Feature(
        WEATHER,
        "charts",
        "Weekly charts of wind and pressure",
        "done",
        "completed",
        "The web page shows a week of wind and pressure, readable on a phone.",
        (
            Phase("Draw", "done", (("done", "Draw both charts on the server"), ("done", "Draw gaps in the data as gaps"))),
            Phase(
                "On the phone",
                "done",
                (
                    ("done", "Fit the charts to narrow screens"),
                    ("done", "Keep both below 15 KB"),
                    ("todo", "Tell the lines apart without colour"),
                ),
                flaw="open",
            ),
        ),
        category="enhancements",
        priority="low",
    ),
    Feature(
        SHOP,
        "vouchers",
        "Vouchers in the cart",
        "review",
        "review",
        "Customers enter one voucher per order, of a percentage or a fixed amount.",
        (
            Phase(
                "Codes in the cart",
                "done",
                (
                    ("done", "Check a code and say why it is refused"),
                    ("done", "Take off percentages and amounts, never below zero"),
                    ("done", "Show the voucher as a line of the cart"),
                ),
            ),
            Phase(
                "Checkout",
                "done",
                (("done", "Charge the reduced total"), ("done", "Give the voucher back when a payment fails")),
            ),
            Phase(
                "Rest of a voucher",
                "review",
                (("done", "Keep the rest of an amount for the next order"), ("review", "Tell the rest in the mail")),
            ),
        ),
        priority="high",
        phase_plans=True,
    ),
    Feature(
        SHOP,
        "checkout-tests",
        "Flaky checkout tests",
        "done",
        "completed",
        "tests/cart.test.ts passes 500 times in a row.",
        (
            Phase(
                "All",
                "done",
                (
                    ("done", "Reproduce the failure around midnight"),
                    ("done", "Pass the clock in"),
                    ("done", "Run it 500 times"),
                ),
            ),
        ),
        form="quick",
    ),
    Feature(
        GAME,
        "opening-book",
        "Opening book from public games",
        "blocked",
        "blocked",
        "The engine plays twelve plies from a book of at most 200 KB.",
        (
            Phase(
                "Build",
                "done",
                (
                    ("done", "Read the games in data/"),
                    ("done", "Keep positions with 40 games or more"),
                    ("done", "Pack the book into 200 KB"),
                ),
            ),
            Phase(
                "Ship",
                "blocked",
                (
                    ("done", "Play from the book"),
                    ("blocked", "Ship the book with the engine"),
                    ("todo", "Let users choose a book of their own"),
                ),
            ),
        ),
        form="map",
        blocker="The licence of two collections of games is unclear",
    ),
    Feature(
        GAME,
        "en-passant",
        "En passant leaves the king in check",
        "done",
        "complete",
        "perft(5) counts what it should in all six positions.",
        (
            Phase(
                "All",
                "done",
                (("done", "Find the positions that differ"), ("done", "Look at the rank after both pawns are gone")),
            ),
        ),
        form="quick",
        priority="high",
    ),
    Feature(
        NOTES,
        "offline-sync",
        "Offline sync without lost edits",
        "in_progress",
        "in-progress",
        "Two devices edit the same note offline, and no line of either is lost.",
        (
            Phase(
                "Base versions",
                "in_progress",
                (
                    ("done", "Store a base version beside each note"),
                    ("done", "Prune base versions after a successful sync"),
                    ("in_progress", "Survive a sync that is cut short"),
                ),
            ),
            Phase(
                "Three-way merge",
                "todo",
                (
                    ("todo", "Merge line by line"),
                    ("todo", "Mark what both devices changed"),
                    ("todo", "Merge attachments by name"),
                ),
                flaw="broken",
            ),
        ),
        priority="critical",
        question="What becomes of a note that one device deleted and the other edited?",
        planned_in_session=True,
    ),
    Feature(
        NOTES,
        "format",
        "Describe the file format",
        "done",
        "completed",
        "Anybody can write a program that reads the notes.",
        (
            Phase(
                "All",
                "done",
                (("done", "Describe front matter, links, tags and attachments"), ("done", "Test every example")),
            ),
        ),
        form="quick",
        priority="low",
    ),
)

OF_BRANCH = {(feature.root, feature.slug): feature for feature in FEATURES}
"""By project and the last part of a branch's name, which is the feature's."""
