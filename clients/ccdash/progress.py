"""Progress on standard error, for what takes longer than half a second, where that is a terminal."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ccdash.figures import duration, size
from ccdash.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 0.5
"""Seconds without a sign before something is shown."""

_PHASES = {
    "scan": "Looking for logs",
    "glance": "First glance",
    "parse": "Reading logs",
    "finish": "Finishing",
    "plans": "Reading planning files",
}


class ProgressLine:
    """One line that says what is waited for; a bar with rate and time left once a total is known.

    Silent in a pipe, and when all is done before `PATIENCE` is over. Use as a context manager, so that the line goes.
    """

    def __init__(self, out: Output, label: str) -> None:
        self._enabled = out.notes.isatty() and not out.as_json
        self._color = out.note_color
        self._label = label
        self._shown: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._shown is not None:
            self._shown.stop()

    def waited(self, seconds: float) -> None:
        """Show the line once the wait has lasted."""
        if self._enabled and self._shown is None and seconds >= PATIENCE:
            self._show()

    def hide(self) -> None:
        """Take the line away, so that something can be written where it was; the next sign of progress brings it back."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None

    def work(self, value: dict[str, Any]) -> None:
        """Show what a request says of its own progress, the `value` of a ``$/progress`` notification."""
        if value["kind"] == "report":
            share = value.get("percentage")
            self.update(self._label, share or 0, None if share is None else 100, str(value.get("message") or ""))

    def indexing(self, state: dict[str, Any]) -> None:
        """Show the progress of an index run, an ``indexing`` object of the wire."""
        total = int(state.get("total", 0))
        if not self._enabled or state.get("phase") == "idle":
            return
        label = _PHASES.get(str(state.get("phase")), self._label)
        files = int(state.get("filesTotal", 0))
        details = f"{int(state.get('filesDone', 0)):,} of {files:,} files" if files else ""
        if state.get("rate"):
            details += f", {size(float(state['rate']))}/s"
        if state.get("eta") is not None:
            details += f", {duration(float(state['eta']))} left"
        if state.get("phase") == "plans":  # counted, not measured
            self.update(label, int(state.get("filesDone", 0)), files or None, details)
        else:
            self.update(label, int(state.get("done", 0)), total or None, details)

    def update(self, label: str, done: int, total: int | None, details: str) -> None:
        """Show `done` of `total`, or an endless bar for an unknown total."""
        if not self._enabled:
            return
        shown = self._show()
        if self._task is not None:
            shown.update(self._task, description=label, completed=done, total=total, details=details)

    def _show(self) -> Progress:
        if self._shown is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            console = Console(stderr=True, no_color=not self._color, highlight=False)
            text = TextColumn("{task.description}", markup=False)
            details = TextColumn("{task.fields[details]}", markup=False)
            self._shown = Progress(SpinnerColumn(), text, BarColumn(), details, console=console, transient=True)
            self._task = self._shown.add_task(self._label, total=None, details="")
            with suppress(OSError):
                self._shown.start()
        return self._shown
