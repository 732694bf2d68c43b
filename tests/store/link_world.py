"""Planning files and sessions that work on them, in a cache without a daemon, to find their links step by step or anew."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa

from ccdashd.derive.plan_rows import rows_of
from ccdashd.ingest.parse import read_log
from ccdashd.sources.planning.model import Document, PlanningFile, Ref, Slug, Task
from ccdashd.store import assemble, feature_rows, linking, planning, projects, rows
from ccdashd.store.connection import raw_connection
from ccdashd.store.linking import Linked
from ccdashd.store.logs import states
from tests.sources.logs import Writer, call

APP, SUB, OTHER = "/work/app", "/work/app/sub", "/work/other"
BESIDE = "/work/app-y-v2"
"""A worktree of `APP` that lies beside it."""

SESSIONS = [f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(1, 5)]
CWDS = [APP, f"{APP}/.claude/worktrees/x-v1/src", BESIDE, OTHER]
"""Where each of the sessions runs."""

PLACES = {
    **{
        f"app/{session}/{name}.jsonl": session
        for session in SESSIONS
        for name in (session, f"subagents/agent-a{SESSIONS.index(session)}")
        if name != session
    },
    **{f"app/{session}.jsonl": session for session in SESSIONS},
    f"copy/{SESSIONS[0]}.jsonl": SESSIONS[0],
}
"""Logs, and whose they are: one session has two."""

PATHS = {
    "docs/PRDs/x-v1.md": "prd",
    "docs/PRDs/y-v2.md": "prd",
    "docs/plans/x.md": "implementation_plan",
    "docs/plans/x/phase-2.md": "phase_plan",
    ".claude/progress/x/phase-1-progress.md": "progress",
    ".claude/progress/x/phase-2-progress.md": "progress",
    ".claude/progress/y-v2/all-phases-progress.md": "progress",
    ".claude/progress/quick-features/z.md": "quick_feature",
    "docs/notes/x/context.md": "context",
    "README.md": "readme",
}
COMMITS = ["abc1234", "def5678", "0011223"]


def owner(cwd: str) -> str:
    """The root of the project that a folder belongs to."""
    if cwd == BESIDE or cwd.startswith(BESIDE + "/"):
        return APP
    roots = (SUB, APP, OTHER)
    return next((root for root in roots if cwd == root or cwd.startswith(root + "/")), cwd)


def some_document(path: str, choose: Random) -> PlanningFile:
    """A document at that path with references, tasks, commits and sessions."""

    def some(values: Iterable[Any], most: int) -> list[Any]:
        return choose.sample(list(values), choose.randrange(most + 1))

    def task(n: int) -> Task:
        return Task(
            key=f"T{n}",
            task_id=f"T{n}",
            form="list",
            line=20 + n,
            title=f"Task {n}",
            status="todo",
            phase=choose.choice(["", "1", "2"]),
            parent=f"T{n - 1}" if n and choose.random() < 0.2 else "",
            depends_on=some(["T0", "T1", "T9"], 2),
            commits=some(COMMITS, 1),
            files=some(["src/a.py", "docs/PRDs/x-v1.md"], 1),
            session_ids=some(SESSIONS, 1) if choose.random() < 0.3 else [],
        )

    doc_type = PATHS[path] if choose.random() < 0.9 else choose.choice(["report", "readme", "context"])
    refs = [
        Ref(field=choose.choice(["prd_ref", "plan_ref", "related", "body"]), raw=to, path=to, line=9)
        for to in some(PATHS, 2)
    ]
    return PlanningFile(
        path=path,
        hash="00",
        document=Document(
            path=path,
            doc_type=doc_type,
            title=path,
            status="todo",
            raw_status="pending",
            status_line=3,
            slugs=[Slug(slug=choose.choice(["x", "y-v2", "new"]), source="feature_slug")] if choose.random() < 0.2 else [],
            phase=choose.choice(["1", "2", "1-2", "all", ""]),
            tasks=[task(n) for n in range(choose.randrange(4))],
            refs=refs,
            files=some(["src/a.py", "src/*.py", "/etc/hosts", *PATHS], 2),
            commits=some(COMMITS, 1),
            session_ids=some(SESSIONS, 1) if choose.random() < 0.3 else [],
            supersedes=some(["y", "docs/PRDs/x-v1.md"], 1),
            frontmatter={"request": "REQ-20260110-app-01"} if choose.random() < 0.3 else {},
        ),
    )


class Logs:
    """Logs below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = Writer(7)

    def path(self, place: str) -> Path:
        return self.folder / place

    def append(self, place: str, records: list[dict[str, Any]]) -> None:
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(json.dumps(record).encode() + b"\n" for record in records)

    def some_records(self, place: str, choose: Random) -> list[dict[str, Any]]:
        """What happens in a session: something said, called, committed, or another branch."""
        w, session = self._writer, PLACES[place]
        cwd = CWDS[SESSIONS.index(session)]
        agent = {"isSidechain": True, "agentId": Path(place).stem} if "agent-" in place else {}
        common = {"sessionId": session, "cwd": cwd, "gitBranch": choose.choice(["main", "main", "feat/x", "y-v2"]), **agent}
        path = choose.choice(list(PATHS))
        root = choose.choice([APP, APP, cwd, f"{APP}/.claude/worktrees/x-v1", BESIDE, SUB])
        id = f"t{w.count}"
        kind = choose.choice(["command", "prompt", "write", "read", "failed", "pending", "shell", "commit", "plain"])
        if kind == "command":
            line = choose.choice(
                [
                    f"1-2 {path}",
                    f"all {root}/{path}",
                    "2 --prd x-v1",
                    "REQ-20260110-app-01",
                    "y-v2",
                    "nothing in-particular",
                ]
            )
            name = choose.choice(["dev:execute-phase", "dev:quick-feature", "recovering-sessions", "other"])
            text = f"<command-name>/{name}</command-name>\n<command-args>{line}</command-args>"
            return [w.user(text, **common)]
        if kind in ("prompt", "plain"):
            return [w.user(f"Look at {path}" if kind == "prompt" else "Go on", **common)]
        if kind in ("shell", "commit"):
            command = f"cat {path}" if kind == "shell" else "git commit"
            output = f"[main {choose.choice(COMMITS)}] So\n 1 file changed, 1 insertion(+)"
            return [w.assistant(call(id, "Bash", command=command), id=id, **common), w.result(id, output, **common)]
        made = w.assistant(call(id, "Read" if kind == "read" else "Write", file_path=f"{root}/{path}"), id=id, **common)
        return [made] if kind == "pending" else [made, w.result(id, error=kind == "failed", **common)]


class Cache:
    """A cache of planning files and logs. Each change is one transaction, links included."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def write(
        self, root: str, files: Iterable[PlanningFile] = (), gone: Iterable[str] = (), *, link: bool = True
    ) -> Linked:
        """Planning files of a project were written or deleted."""
        project_id = projects.project_id(root)
        if project_id not in projects.ids(self.connection):
            projects.add(self.connection, root)
            project = "UPDATE projects SET origin = 'added' WHERE id = ?"
            raw_connection(self.connection).execute(project, (project_id,))
        changes = planning.Changes()
        planning.forget(self.connection, [f"{project_id}/{path}" for path in gone], changes)
        planning.store(self.connection, project_id, [rows_of(project_id, file) for file in files], changes)
        feature_rows.rebuild(self.connection, project_id, changes)
        if not link:
            return Linked(set(), set(), set())
        return linking.relink(
            self.connection,
            sessions=set(),
            documents={project_id: changes.documents | changes.gone_documents},
            features=changes.features | changes.gone_features,
            owner=owner,
        )

    def read(self, paths: Iterable[Path], *, link: bool = True) -> Linked:
        """Logs were written, or deleted."""
        sessions: set[str | None] = set()
        known = states(self.connection, map(str, paths))
        for path in paths:
            state = known.get(str(path))
            if state is not None:
                sessions |= {state.session_id, state.parent_id}
            if not path.exists():
                if state is not None:
                    rows.forget(self.connection, state.id)
                continue
            before = rows.known(self.connection, state.id, str(path)) if state is not None else None
            result = read_log(str(path), 4096, before)
            rows.store(self.connection, result)
            sessions |= {result.session_id, result.parent_id}
        built = assemble.build(self.connection, {id for id in sessions if id}, owner)
        written = built.upserted | built.deleted
        return self.link_sessions(written) if link else Linked(set(), set(), set())

    def link_sessions(self, sessions: set[str]) -> Linked:
        return linking.relink(self.connection, sessions=sessions, documents={}, features=set(), owner=owner)

    def links(self) -> dict[tuple[str, str], tuple[Any, ...]]:
        """All links by owner and id."""
        rows = raw_connection(self.connection).execute("SELECT * FROM entity_links")
        return {(row[0], row[1]): row[2:] for row in rows}

    def refs(self) -> set[tuple[Any, ...]]:
        return set(raw_connection(self.connection).execute("SELECT * FROM session_refs"))

    def sessions_of_features(self) -> dict[str, int]:
        return dict(raw_connection(self.connection).execute("SELECT id, sessions FROM features").fetchall())


def logs_below(folder: Path) -> list[Path]:
    return sorted(Path(base) / name for base, _, names in os.walk(folder) for name in names)
