"""A file of code that sessions of one feature write together, step by step, and a person after them: what is left of each
step can be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ccdash.demo.acts import edit_text, read_text, write_text
from ccdash.demo.plan import Job

FEATURE = "overdue-loans"
"""The feature that it is written for."""

PATH = "src/library/overdue.py"

_BEGIN = '''\
"""When a loan is overdue."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from library.models import Loan


def due_day(loan: Loan) -> date:
    """The last day on which a loan may come back."""
    return loan.lent_on + loan.period


def is_overdue(loan: Loan, now: datetime) -> bool:
    """Whether a loan should have come back."""
    return now.date() > due_day(loan)
'''


class _Step(NamedTuple):
    """A turn: what is asked, what of the file becomes what, and the answer."""

    says: str
    old: str
    new: str
    answer: str


_STEPS = (
    _Step(
        "Put the rules of what is overdue into a module of their own.",
        "",
        _BEGIN,
        "They are in src/library/overdue.py now; the rest asks there.",
    ),
    _Step(
        "A day ends where the reader lives, not where the server stands.",
        """    return now.date() > due_day(loan)
""",
        """    return local_day(now, loan.reader.time_zone) > due_day(loan)


def local_day(now: datetime, time_zone: str) -> date:
    \"\"\"The day that it is in a time zone.\"\"\"
    return now.astimezone(ZoneInfo(time_zone)).date()
""",
        "The day is that of the reader's own time zone now.",
    ),
    _Step(
        "We are closed on Sundays. What is due then may come on Monday.",
        """    return loan.lent_on + loan.period
""",
        """    day = loan.lent_on + loan.period
    return day if day.isoweekday() != SUNDAY else day + ONE_DAY
""",
        "A day that falls on a Sunday is moved by one.",
    ),
    _Step(
        "SUNDAY and ONE_DAY are not there yet.",
        """from datetime import date, datetime
from zoneinfo import ZoneInfo

from library.models import Loan
""",
        """from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from library.models import Loan

SUNDAY = 7
ONE_DAY = timedelta(days=1)
""",
        "They are constants of the module.",
    ),
)

_CHANGED = ("When a loan is overdue.", "When a loan is overdue, and when not.")
_ADDED = """

# Holidays are not looked at: the readers asked us not to move more than a day.
"""


def jobs(root: str, sessions: int) -> Iterator[tuple[Job, ...]]:
    """What each of so many sessions does, the first one first; `root` is the folder of the project."""
    path, text = f"{root}/{PATH}", ""
    steps: list[list[Job]] = [[] for _ in range(sessions)]
    for number, step in enumerate(_STEPS):
        before, text = text, _after(text, step)
        uses = (read_text(path, before), edit_text(path, text, step.old, step.new)) if before else (write_text(path, text),)
        steps[min(number, sessions - 1)].append(Job(step.says, uses, step.answer))
    yield from map(tuple, steps)


def text() -> str:
    """The file as it is in the end, after a person worked on it as well."""
    written = ""
    for step in _STEPS:
        written = _after(written, step)
    return written.replace(*_CHANGED) + _ADDED


def _after(text: str, step: _Step) -> str:
    return text.replace(step.old, step.new, 1) if text else step.new
