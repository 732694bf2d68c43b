"""Features: all documents, progress files and tasks of one name, and what follows from them together. Pure.

Which document belongs to which feature is told by `ccdashd.derive.slugs`, statuses by `ccdashd.derive.statuses`, and where
files contradict each other by `ccdashd.derive.mismatches`. `Details` and `PhaseRow` are kept as JSON in the rows of
features and phases; what the wire shows of them is in them as the wire has it.
"""

from __future__ import annotations

import msgspec

from ccdashd.protocol import types as t


class Details(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What lists do not show of a feature; JSON in `features.data`."""

    description: str = ""
    holder: str | None = None
    """Id of the document whose status is that of the feature."""
    evidence: list[t.StatusEvidence] = []
    mismatches: list[t.Mismatch] = []
    """Its own, not those of its phases and documents."""
    owners: list[str] = []
    file_tags: list[str] = []
    """As written, each once."""
    blockers: list[t.Blocker] = []
    criteria: list[t.Criterion] = []
    questions: list[str] = []
    commits: list[str] = []
    prs: list[str] = []
    versions: list[str] = []
    """Ids of features: other versions of it, and those that it supersedes or comes from."""


class PhaseRow(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What columns do not show of a phase; JSON in `feature_phases.data`. The document's path is in its row."""

    raw_status: str = ""
    line: int = 0
    """Of the status, else of the heading that names the phase, else of its first task."""
    counts: list[int] = []
    """Tasks by status, in the order of `STATUSES`."""
    progress: float = 0.0
    started: str = ""
    completed: str = ""
    mismatches: list[t.Mismatch] = []
    planned: bool = False
    """Announced by a plan, without a progress file."""
