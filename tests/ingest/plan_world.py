"""A small project of planning files and the logs of sessions that work on it, for random scripts."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from random import Random

STEMS = ("till", "till-v1", "till-v2", "stock", "loyalty-cards")
WORDS = ("pending", "in_progress", "completed", "blocked", "done", "deferred", "Ready for Phase 1", "who knows", "")
PLACES = tuple(
    [f"docs/project_plans/PRDs/{stem}.md" for stem in STEMS]
    + [f"docs/project_plans/implementation_plans/features/{stem}.md" for stem in STEMS[:3]]
    + [f"docs/project_plans/implementation_plans/features/till/phase-{n}-work.md" for n in (1, 2)]
    + [f".claude/progress/{stem}/phase-{n}-progress.md" for stem in STEMS for n in (1, 2)]
    + [f".claude/progress/{stem}/all-phases-progress.md" for stem in STEMS[2:4]]
    + [f".claude/progress/quick-features/{name}.md" for name in ("bell", "drawer")]
    + [".claude/worknotes/till/context.md", ".claude/worknotes/nothing/context.md", "README.md", "docs/stock/notes.md"]
)
"""Where planning files may be."""

SHAPES = ("list", "map", "flow", "boxes", "plain", "broken", "unclosed", "empty", "explicit", "refs", "bytes")
SESSIONS = [f"{n}0000000-0000-4000-8000-0000000000a{n}" for n in range(1, 4)]


class PlanWorld:
    """The project is `root`, a repository; the logs are below `logs`. Operations return the paths that they touched."""

    def __init__(self, base: Path) -> None:
        self.root = base / "shop"
        self.logs = base / "logs"
        (self.root / ".git").mkdir(parents=True)
        (self.logs / "-shop").mkdir(parents=True)
        self._count = 0

    def path(self, place: str) -> Path:
        return self.root / place

    def there(self) -> list[str]:
        """The planning files that are there."""
        return [place for place in PLACES if self.path(place).is_file()]

    def write(self, place: str, shape: str, seed: int, *, in_place: bool = False) -> set[str]:
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = document(place, shape, Random(seed))
        if in_place and not path.is_symlink():
            path.write_bytes(data)
        else:
            temporary = path.with_name(".write.tmp")
            temporary.write_bytes(data)
            temporary.replace(path)
        self._later(path)
        return {str(path)}

    def delete(self, place: str) -> set[str]:
        self.path(place).unlink(missing_ok=True)
        return {str(self.path(place))}

    def move(self, place: str, to: str) -> set[str]:
        if place == to or not self.path(place).is_file():
            return set()
        self.path(to).parent.mkdir(parents=True, exist_ok=True)
        self.path(place).replace(self.path(to))
        return {str(self.path(place)), str(self.path(to))}

    def move_folder(self, one: str, other: str) -> set[str]:
        """Rename a progress folder over another one, which goes away."""
        here, there = (self.root / ".claude/progress" / stem for stem in (one, other))
        if one == other or not here.is_dir():
            return set()
        before = self._files(here) | self._files(there)
        shutil.rmtree(there, ignore_errors=True)
        here.rename(there)
        return before | self._files(there)

    def touch(self, place: str) -> set[str]:
        path = self.path(place)
        if path.is_file() and not path.is_symlink():
            self._later(path)
        return {str(path)}

    def link(self, place: str, mode: int) -> set[str]:
        """Make a file a link that leads out of the project, or one that stays in it."""
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        # Nobody hears of changes of what a link points to but the scan, so that stays as it is.
        target = self.root.parent / "outside.md" if mode == 0 else self.root / "src/inside.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text("---\nstatus: pending\n---\n# Elsewhere\n")
        os.utime(target, ns=(10**18, 10**18))
        path.symlink_to(target)
        return {str(path)}

    def work(self, number: int, kind: str, place: str) -> set[str]:
        """A session does something with a planning file; returns its log."""
        session = SESSIONS[number]
        log = self.logs / "-shop" / f"{session}.jsonl"
        with log.open("ab") as file:
            for record in self._records(session, kind, place):
                file.write(json.dumps(record).encode() + b"\n")
        return {str(log)}

    def _records(self, session: str, kind: str, place: str) -> list[dict[str, object]]:
        self._count += 1
        n = self._count
        common = {
            "sessionId": session,
            "cwd": str(self.root),
            "gitBranch": f"feat/{STEMS[n % len(STEMS)]}" if kind == "branch" else "main",
            "timestamp": f"2026-01-02T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.000Z",
            "version": "2.1.0",
        }
        if kind in ("write", "read", "shell"):
            path = str(self.path(place))
            name, given = {
                "write": ("Write", {"file_path": path, "content": "x"}),
                "read": ("Read", {"file_path": path}),
                "shell": ("Bash", {"command": f"cat {place}"}),
            }[kind]
            call = {"type": "tool_use", "id": f"call-{session[:1]}-{n}", "name": name, "input": given}
            message = {"id": f"m-{n}", "role": "assistant", "model": "model-1", "content": [call], "usage": {}}
            result = {"type": "tool_result", "tool_use_id": call["id"], "content": f"[main {n:07x}] done"}
            return [
                {**common, "type": "assistant", "uuid": f"u-{n}", "message": message},
                {**common, "type": "user", "uuid": f"r-{n}", "message": {"role": "user", "content": [result]}},
            ]
        text = f"look at @{place}"
        if kind == "command":
            text = f"<command-name>/dev:execute-phase</command-name>\n<command-args>1-2 {place}</command-args>"
        return [{**common, "type": "user", "uuid": f"u-{n}", "message": {"role": "user", "content": text}}]

    def _later(self, path: Path) -> None:
        # A file system with coarse times would show two writes within one tick as one.
        self._count += 1
        os.utime(path, ns=(10**18 + self._count * 10**6,) * 2)

    @staticmethod
    def _files(folder: Path) -> set[str]:
        return {str(path) for path in folder.rglob("*.md")}


def document(place: str, shape: str, random: Random) -> bytes:
    """Bytes of a planning file of that shape."""
    stem = random.choice(STEMS)
    status = random.choice(WORDS)
    head = [f"title: {stem} {random.randint(1, 9)}", f"status: {status}"] if status else [f"title: {stem}"]
    names = [f"T-{random.randint(1, 4)}" for _ in range(random.randint(0, 4))]
    if shape == "plain":
        return f"# {stem}\n\nSee [the other]({random.choice(PLACES)}).\n".encode()
    if shape == "empty":
        return b""
    if shape == "bytes":
        return b"---\nstatus: \xff\xfe\n---\n\x00"
    if shape == "unclosed":
        return b"---\nstatus: pending\n\n# Text\n"
    if shape == "boxes":
        return "".join([f"# {stem}\n\n", *(f"- [{random.choice(' x')}] {name} do it\n" for name in names)]).encode()
    if shape == "explicit":
        head += [f"feature_slug: {stem}", "doc_type: report"]
    if shape == "refs":
        head += [f"prd_ref: ./{random.choice(PLACES)}", f"related_documents: [{random.choice(PLACES)}]"]
        head += [f"supersedes: {random.choice(STEMS)}", "commit_refs: [4024200]", f"files_affected: [src/{stem}.py]"]
    if shape == "flow":
        tasks = [f"  - {{id: {name}, title: do, status: {random.choice(WORDS[:6])}}}" for name in names]
    elif shape == "map":
        tasks = [f"  {name}: {{title: do, status: {random.choice(WORDS[:6])}}}" for name in dict.fromkeys(names)]
    else:
        tasks = [
            line
            for name in names
            for line in (
                f"  - id: {name}",
                f"    status: {random.choice(WORDS[:6])}",
                f"    session_id: {random.choice(SESSIONS)}",
                f"    dependencies: [{random.choice(names)}]",
            )
        ]
    if shape == "broken":
        head.append("note: an unquoted: colon")
    lines = ["---", *head, *(["tasks:", *tasks] if tasks else []), "---", f"# {stem}", ""]
    return "\n".join(lines).encode()
