"""What is settled about a session before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from ccdash.demo.shapes import Shape
from ccdash.demo.tools import Use
from ccdash.demo.truth import Record


@dataclass(frozen=True)
class Job:
    """A turn with a purpose: what the user types (a prompt, or a slash command), what is done about it, and the answer."""

    says: str
    uses: tuple[Use, ...]
    answer: str


@dataclass(frozen=True)
class Story:
    """What a session is about, where its texts shall mean something. `jobs` follow the prompts."""

    title: str
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    files: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()


@dataclass(frozen=True)
class Origin:
    """What a fork repeats of another session. `renamed`: with its own session id, else with the old one."""

    session_id: str
    records: tuple[Record, ...]
    last: str
    renamed: bool


@dataclass
class Plan:
    """Everything that is settled before a session is written. `size` in characters, times in milliseconds."""

    session_id: str
    root: str
    branch: str
    shape: Shape
    start: int
    size: int
    agents: int = 0
    agent_size: int = 60_000
    summaries: list[tuple[str, str]] = field(default_factory=list)
    """Leaf uuid and text of summaries that stand at the top and name records of other files."""
    story: Story | None = None
    running: bool = False
    """Still being worked on: no ending."""
    origin: Origin | None = None
