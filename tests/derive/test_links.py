"""Evidence to links: what sessions did, and what planning files say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ccdashd.derive import commands
from ccdashd.derive.document_links import DocumentData, Project, RefData, TaskData, TaskRow, of_document
from ccdashd.derive.links import EVIDENCE_CAP, Found, Key, confidence, strongest
from ccdashd.derive.session_refs import Roots, Said, Session, names, refs
from ccdashd.protocol import types as t
from ccdashd.store.projects import project_id
from tests.sources.logs import Writer, call
from tests.store.link_world import APP, BESIDE, SESSIONS, Cache, Logs
from tests.store.plans import cache, document, file

ID = project_id(APP)
MAIN, AGENT = SESSIONS[0], f"{SESSIONS[0]}/agent-a0"
PLAN = "docs/plans/till-v1.md"
PRD = "docs/PRDs/till-v1.md"
ONE, TWO = (f".claude/progress/till-v1/phase-{n}-progress.md" for n in (1, 2))
NOTES = "docs/notes/till/context.md"
QUICK = ".claude/progress/quick-features/bell.md"
FEATURE, BELL = f"{ID}/till", f"{ID}/bell"

DOCUMENTS = [
    document(PLAN, "implementation_plan"),
    document(PRD, "prd"),
    document(ONE, "progress", tasks=["done"], phase="1"),
    document(TWO, "progress", tasks=["todo"], phase="2"),
    document(NOTES, "context"),
    document(QUICK, "quick_feature"),
    document("README.md", "readme"),
    document("docs/index.md", "readme", feature_slug="till"),
    document("docs/other.md", "report"),
]


class Script:
    """The logs of a session and its sub-agent, written line by line."""

    def __init__(self, folder: Path) -> None:
        self.logs = Logs(folder)
        self._writer = Writer(3)
        self._place = f"app/{MAIN}.jsonl"
        self._common: dict[str, Any] = {"sessionId": MAIN, "cwd": APP, "gitBranch": "main"}

    def at(self, cwd: str = APP, branch: str = "main") -> Script:
        self._common |= {"cwd": cwd, "gitBranch": branch}
        return self

    def agent(self) -> Script:
        """From here on in a sub-agent."""
        self._place = f"app/{MAIN}/subagents/agent-a0.jsonl"
        self._common |= {"isSidechain": True, "agentId": "a0"}
        return self

    def says(self, words: str) -> Script:
        return self._add(self._writer.user(words, **self._common))

    def command(self, line: str) -> Script:
        name, _, arguments = line.partition(" ")
        return self.says(f"<command-name>{name}</command-name>\n<command-args>{arguments}</command-args>")

    def does(self, tool: str, *, output: str = "done", error: bool = False, **given: str) -> Script:
        id = f"t{self._writer.count}"
        self._add(self._writer.assistant(call(id, tool, **given), id=id, **self._common))
        return self._add(self._writer.result(id, output, error=error, **self._common))

    def writes(self, *paths: str, root: str = APP) -> Script:
        for path in paths:
            self.does("Write", file_path=f"{root}/{path}")
        return self

    def reads(self, *paths: str) -> Script:
        for path in paths:
            self.does("Read", file_path=f"{APP}/{path}")
        return self

    def _add(self, record: dict[str, Any]) -> Script:
        self.logs.append(self._place, [record])
        return self


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def links(script: Script, session: str = MAIN, documents: Sequence[Any] = DOCUMENTS) -> dict[tuple[str, str], t.Evidence]:
    """What a session is linked with: the weightiest evidence, its confidence in place of the weight, by type and id."""
    return {key: evidence[0] for key, (_, evidence) in found(script, session, documents).items()}


def found(
    script: Script, session: str = MAIN, documents: Sequence[Any] = DOCUMENTS
) -> dict[tuple[str, str], tuple[str, list[t.Evidence]]]:
    """Link type and evidence of a session's links by type and id of the other end."""
    with cache() as connection:
        one = Cache(connection)
        one.write(APP, map(file, documents))
        one.read(sorted(script.logs.folder.rglob("*.jsonl")))
        rows = {key: row for key, row in one.links().items() if key[0] == f"session:{session}"}
        result = {}
        for row in rows.values():
            evidence = msgspec.json.decode(row[8], type=list[t.Evidence])
            evidence = [msgspec.structs.replace(evidence[0], weight=row[5]), *evidence[1:]]
            result[row[2], row[3].removeprefix(f"{ID}/")] = (row[4], evidence)
        return result


def sure(script: Script, session: str = MAIN) -> dict[str, float]:
    """Confidence by feature."""
    return {id: piece.weight for (type, id), piece in links(script, session).items() if type == "feature"}


# --- commands ---


@pytest.mark.parametrize(
    ("line", "phases"),
    [
        (f"/dev:execute-phase 1 {PLAN}", {1}),
        (f"/dev:execute-phase 2 @{PLAN}", {2}),
        (f"/dev:execute-phase 1-2 {PLAN}", {1, 2}),
        (f"/dev:execute-phase 1 & 2 {PLAN}", {1, 2}),
        (f"/dev:execute-phase 2 & 7 {PLAN}", {2}),
        (f"/dev:execute-phase all {PLAN}", {1, 2}),
        (f"/dev:execute-phase {PLAN} phase 2", {2}),
        (f"/dev:execute-phase {PLAN} with 2 agents", set()),
        ("/dev:execute-phase 2 --prd till-v1", {2}),
        (f"/dev:execute-phase 3 {APP}/{PRD}", set()),
        (f"/dev:implement-story {PRD} S-1", set()),
        (f"/dev:complete-user-story {PLAN}", set()),
        (f"/plan:plan-feature {PRD}", set()),
        (f"/fix:debug {PLAN} fails", set()),
    ],
)
def test_commands_that_name_a_plan(script: Script, line: str, phases: set[int]) -> None:
    script.command(line)
    known = found(script)
    assert known["feature", "till"][0] == "implements"
    assert known["feature", "till"][1][0].weight == 0.75
    assert {id for type, id in known if type == "phase"} == {f"{(ONE, TWO)[n - 1]}#phase-{n}" for n in phases}


def test_quick_features_by_path_and_by_name(script: Script) -> None:
    script.command(f"/dev:quick-feature {QUICK}")
    assert sure(script) == {"bell": 0.75}
    other = Script(script.logs.folder / "other")
    other.command("/dev:quick-feature --feature bell")
    assert sure(other) == {"bell": 0.62}


def test_recovered_sessions(script: Script) -> None:
    script.does("Skill", skill="recovering-sessions", args=f"the work on {PLAN}")
    assert sure(script) == {"till": 0.75}


def test_requests_mean_the_documents_that_name_them(script: Script) -> None:
    asked = document(QUICK, "quick_feature")
    asked.frontmatter = {"request_log_id": "REQ-20260110-App-01"}
    near = document(PRD, "prd")
    near.frontmatter = {"request_log_id": "REQ-20260110-app-011"}
    script.command("/dev:quick-feature REQ-20260110-app-01")
    assert {id for type, id in links(script, documents=[asked, near]) if type == "feature"} == {"bell"}


def test_commands_that_mean_nothing(script: Script) -> None:
    script.command("/clear").command("/model opus").command("/dev:quick-feature add login-button").says("till-v1")
    assert links(script) == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/dev:execute-phase 2.5, 3 and 4 a.md", "2.5, 3 and 4"),
        ("/dev:execute-phase M1 x-y", "M1"),
        ("/dev:execute-phase --phase=3-4 x-y", "3-4"),
        ("/dev:execute-phase phase-2 .claude/progress/foo/", "2"),
        ("/dev:execute-phase docs/phase-3-x.md", ""),
        ("/dev:execute-phase a.md and run all tests", ""),
        ("/dev:execute-phase 3a a.md", ""),
        ("/dev:quick-feature 3 a.md", ""),
    ],
)
def test_phases_in_commands(line: str, expected: str) -> None:
    assert commands.parse(line).phases == expected


@pytest.mark.parametrize(
    ("line", "slugs"),
    [
        ('/dev:quick-feature "modal-architecture-v1"', ("modal-architecture",)),
        ("/dev:execute-phase 1 --prd till", ("till",)),
        ("/dev:execute-phase 1 --prd=till_v2", ("till-v2",)),
        ("/dev:execute-phase 1 .claude/progress/till/", ("till",)),
        ("/dev:execute-phase 1 --fast till", ()),
        ("/dev:quick-feature docs/a-b.md", ()),
        ("/other till-v1", ()),
    ],
)
def test_names_in_commands(line: str, slugs: tuple[str, ...]) -> None:
    assert commands.parse(line).slugs == slugs


# --- what sessions do ---


def test_writes_and_reads(script: Script) -> None:
    script.reads(PRD).writes(ONE, ONE).writes(NOTES)
    known = found(script)
    assert {key: evidence[0].weight for key, (_, evidence) in known.items()} == {
        ("feature", "till"): 0.82,
        ("document", ONE): 0.95,
        ("document", NOTES): 0.8,
        ("document", PRD): 0.46,
        ("phase", f"{ONE}#phase-1"): 0.75,
    }
    assert [(piece.signal, piece.count, piece.detail) for piece in known["feature", "till"][1]] == [
        ("write", 2, ONE),
        ("write", 1, NOTES),
        ("read", 1, PRD),
    ]
    assert known["feature", "till"][1][0].place.endswith(f"{MAIN}.jsonl")
    assert known["feature", "till"][1][0].offset


def test_a_command_and_writes(script: Script) -> None:
    script.command(f"/dev:execute-phase 1 {PLAN}").writes(ONE)
    assert sure(script) == {"till": 0.95}


def test_who_only_reads_belongs_to_no_feature(script: Script) -> None:
    script.reads(PLAN, PRD, ONE, TWO, NOTES, QUICK)
    assert sure(script) == {}
    assert len(links(script)) == 6


def test_failed_and_unfinished_calls_are_no_evidence(script: Script) -> None:
    script.does("Write", file_path=f"{APP}/{ONE}", error=True)
    script.logs.append(
        f"app/{MAIN}.jsonl", [Writer(9).assistant(call("x", "Write", file_path=f"{APP}/{TWO}"), sessionId=MAIN, cwd=APP)]
    )
    assert links(script) == {}


def test_files_that_everybody_reads(script: Script) -> None:
    script.reads("README.md", "docs/index.md").writes("README.md", "docs/index.md")
    assert {key: piece.weight for key, piece in links(script).items()} == {
        ("document", "README.md"): 0.5,
        ("document", "docs/index.md"): 0.5,
    }


def test_prompts_and_shell_lines(script: Script) -> None:
    script.says(f"Go on with @{PLAN}, please").does("Bash", command=f"grep -n status {QUICK}")
    assert sure(script) == {"till": 0.45, "bell": 0.45}
    assert found(script)["feature", "till"][0] == "references"


def test_a_sweep_over_many_features_links_none(script: Script) -> None:
    paths = [f".claude/progress/f{n}/phase-1-progress.md" for n in range(30)]
    script.writes(*paths)
    assert {type for type, _ in links(script, documents=[document(path, "progress") for path in paths])} == {"document"}


def test_the_feature_with_most_of_the_work(script: Script) -> None:
    other = [f".claude/progress/f{n}/phase-1-progress.md" for n in range(3)]
    script.writes(ONE, ONE, ONE, ONE, ONE, *other)
    known = links(script, documents=[*DOCUMENTS, *(document(path, "progress") for path in other)])
    features = {id: piece.weight for (type, id), piece in known.items() if type == "feature"}
    assert features == {"till": 0.67, "f0": 0.42, "f1": 0.42, "f2": 0.42}


def test_commits(script: Script) -> None:
    script.does("Bash", command="git commit", output="[main 0000000abc] Count\n 1 file changed, 2 insertions(+)")
    known = found(script)
    assert known["commit", "0000000"][0] == "related"
    assert {(type, id, link) for (type, id), (link, _) in known.items() if type != "commit"} == {
        ("task", f"{ONE}#T0", "implements"),
        ("task", f"{TWO}#T0", "implements"),
        ("feature", "till", "implements"),
    }


@pytest.mark.parametrize(
    "branch", ["till", "feat/till-v1", "feature/12-till", "ada/till-v1-phase-2", "claude/till/phase-1"]
)
def test_branches(script: Script, branch: str) -> None:
    script.at(branch=branch).says("Go")
    known = found(script)
    assert known["feature", "till"][1][0].weight == 0.62
    assert known["feature", "till"][1][0].detail == branch


def test_a_branch_is_one_piece_of_evidence_whoever_runs_on_it(script: Script) -> None:
    script.at(branch="till").says("Go").agent().says("Go")
    assert sure(script) == {"till": 0.62}


@pytest.mark.parametrize("cwd", [f"{APP}/.claude/worktrees/till-v1", f"{APP}/.worktrees/till/src"])
def test_worktrees_inside(script: Script, cwd: str) -> None:
    top = cwd.removesuffix("/src")
    script.at(cwd).writes(ONE, root=top).does("Read", file_path=f"{APP}/{PRD}")
    known = links(script)
    assert known["document", ONE].signal == "write"
    assert {id: piece.weight for (type, id), piece in known.items() if type == "feature"} == {"till": 0.82}


def test_worktrees_beside(script: Script) -> None:
    script.at(f"{BESIDE}/src").writes(ONE, root=BESIDE).says(f"Look at ../{PRD}")
    assert {id for type, id in links(script) if type == "document"} == {ONE, PRD}


def test_names_of_branches() -> None:
    assert names("main") == names("release") == names("42") == []
    assert names("feat/Till_V1") == ["till", "feat"]
    assert names("fix-12-till-phase-3-api")[:6] == [
        "fix-12-till-phase-3-api",
        "fix-12-till",
        "12-till-phase-3-api",
        "12-till",
        "till-phase-3-api",
        "till",
    ]


# --- families ---


def test_sub_agents_inherit_what_the_work_is_for(script: Script) -> None:
    script.command(f"/dev:execute-phase 1 {PLAN}").agent().reads(PRD)
    known = found(script, AGENT)
    assert {key: (link, [piece.signal for piece in evidence]) for key, (link, evidence) in known.items()} == {
        ("feature", "till"): ("implements", ["inherited"]),
        ("phase", f"{ONE}#phase-1"): ("implements", ["inherited"]),
        ("document", PRD): ("references", ["read"]),
    }
    assert known["feature", "till"][1][0].weight == 0.64
    assert known["feature", "till"][1][0].place == MAIN


def test_a_session_did_what_its_sub_agents_did(script: Script) -> None:
    script.says("Go").agent().writes(ONE)
    known = found(script)
    assert known["feature", "till"][1][0].place.endswith("agent-a0.jsonl")
    assert sure(script) == {"till": 0.77}
    assert sure(script, AGENT) == {"till": 0.77}


def test_files_that_name_a_session(script: Script) -> None:
    named = document(ONE, "progress", tasks=["done"])
    named.tasks[0].session_ids = [MAIN]
    script.says("Go").agent().says("Go")
    known = found(script, documents=[named, document(PRD, "prd")])
    assert {key: evidence[0].weight for key, (_, evidence) in known.items()} == {
        ("task", f"{ONE}#T0"): 1.0,
        ("feature", "till"): 0.96,
    }
    inherited = links(script, AGENT, [named, document(PRD, "prd")])
    assert {key: piece.weight for key, piece in inherited.items()} == {
        ("task", f"{ONE}#T0"): 0.64,
        ("feature", "till"): 0.64,
    }


# --- where paths lead ---


@pytest.mark.parametrize(
    ("path", "cwd", "expected"),
    [
        ("/p/docs/a.md", "/p", {"docs/a.md"}),
        ("docs/a.md", "/p", {"docs/a.md"}),
        ("./docs//a.md", "/p", {"docs/a.md"}),
        ("a.md", "/p/docs", {"docs/a.md", "a.md"}),
        ("../a.md", "/p/docs", {"a.md"}),
        ("../a.md", "/p", set()),
        ("~/p/a.md", "/p", set()),
        ("/p/.claude/worktrees/w/docs/a.md", "/p", {"docs/a.md"}),
        ("/p/.worktrees/w/.worktrees/v/a.md", "/p", {".worktrees/v/a.md"}),
        ("/w/docs/a.md", "/w/src", {"docs/a.md"}),
        ("docs/a.md", "/w/src", {"src/docs/a.md", "docs/a.md"}),
        ("/pp/a.md", "/p", set()),
        ("/elsewhere/a.md", "/p", set()),
        ("/p/a.md", "", {"a.md"}),
        ("a.md", "", {"a.md"}),
    ],
)
def test_paths_are_brought_down_to_the_project(path: str, cwd: str, expected: set[str]) -> None:
    roots = Roots({"/p": "p-1"}, lambda folder: "/p" if folder == "/w" or folder.startswith("/w/") else folder, "/home/ada")
    session = Session("s", "p-1", cwd, (cwd,))
    assert set(roots.locate(path, session)) == {("p-1", place) for place in expected}


def test_the_longest_root_counts_and_the_home_folder_is_known() -> None:
    roots = Roots({"/home/ada/p": "p-1", "/home/ada/p/sub": "sub-2"}, lambda folder: folder, "/home/ada")
    session = Session("s", "p-1", "/home/ada/p", ("/home/ada/p",))
    assert roots.locate("~/p/sub/a.md", session) == [("sub-2", "a.md")]
    assert roots.locate("sub/a.md", session) == [("sub-2", "a.md"), ("p-1", "sub/a.md")]


def test_refs_count_and_keep_the_first_place() -> None:
    roots = Roots({"/p": "p-1"}, lambda folder: folder, "/home/ada")
    session = Session("s", "p-1", "/p", ("/p",))
    said = [
        Said("write", "/p/a.md", "log", 30, 3),
        Said("write", "/p/a.md", "log", 10, 1),
        Said("write", "/p/a.md", "log", 20, None),
    ]
    (ref,) = refs(session, said, roots)
    assert (ref.value, ref.number, ref.offset, ref.time) == ("a.md", 3, 10, 1)


# --- how sure ---


def piece(signal: str, weight: float, count: int = 1, detail: str = "") -> t.Evidence:
    return t.Evidence(signal=signal, weight=weight, count=count, detail=detail)


@pytest.mark.parametrize(
    ("evidence", "share", "expected"),
    [
        ([piece("command", 0.96), piece("write", 0.95)], 0.1, 0.95),
        ([piece("command", 0.96)], 0.1, 0.75),
        ([piece("command", 0.7)], 1.0, 0.62),
        ([piece("write", 0.95)], 1.0, 0.77),
        ([piece("write", 0.95)], 0.6, 0.67),
        ([piece("write", 0.95)], 0.4, 0.57),
        ([piece("write", 0.95)], 0.15, 0.42),
        ([piece("write", 0.95)], 0.05, None),
        ([piece("write", 0.8)], 1.0, 0.64),
        ([piece("mention", 0.84)], 1.0, 0.55),
        ([piece("mention", 0.84)], 0.4, 0.35),
        ([piece("shell", 0.84), piece("read", 0.46)], 1.0, 0.58),
        ([piece("read", 0.46)] * 9, 1.0, None),
        ([piece("branch", 0.8), piece("read", 0.46)], 1.0, 0.65),
        ([piece("frontmatter", 1.0)], 0.0, 0.96),
    ],
)
def test_confidence(evidence: list[t.Evidence], share: float, expected: float | None) -> None:
    assert confidence(evidence, share) == expected


def test_evidence_is_bounded_and_the_weightiest_first() -> None:
    pieces = [piece("read", n / 100, detail=str(n)) for n in range(90)]
    kept = strongest(pieces)
    assert len(kept) == EVIDENCE_CAP
    assert [item.detail for item in kept[:2]] == ["89", "88"]
    assert strongest(reversed(pieces)) == kept


# --- what planning files say ---


def said(data: DocumentData, tasks: Sequence[TaskRow] = (), known: frozenset[str] = frozenset()) -> dict[Key, Found]:
    return {link.key: link for link in of_document(Project("p-1", "/p", known), data, tasks, alone=True)}


def test_references_of_a_document() -> None:
    data = DocumentData(
        path="docs/plan.md",
        doc_type="implementation_plan",
        refs=[
            RefData("prd_ref", "docs/prd.md", 3),
            RefData("related", "docs/prd.md", 4),
            RefData("body", "docs/other.md", 50),
            RefData("related", "docs/plan.md", 5),
            RefData("related", "", 6),
        ],
        files=["src/a.py", "src/**/*.py", "./docs/other.md", "/p/src/b.py", "/etc/hosts", "../q/c.py", "."],
        commits=["ABCDEF1234567890", "abcdef1", "none", "123456"],
        session_ids=["s-1"],
    )
    links = said(data, known=frozenset({"docs/prd.md", "docs/other.md", "docs/plan.md"}))
    own = ("document", "p-1/docs/plan.md")
    assert {(key, link.confidence) for key, link in links.items()} == {
        (Key(*own, "document", "p-1/docs/prd.md", "implements"), 0.9),
        (Key(*own, "document", "p-1/docs/prd.md", "references"), 0.9),
        (Key(*own, "document", "p-1/docs/other.md", "references"), 0.9),
        (Key(*own, "file", "/p/src/a.py", "references"), 0.9),
        (Key(*own, "file", "/p/src/b.py", "references"), 0.9),
        (Key(*own, "file", "/etc/hosts", "references"), 0.9),
        (Key(*own, "file", "/q/c.py", "references"), 0.9),
        (Key(*own, "commit", "p-1/abcdef1", "references"), 0.9),
        (Key("session", "s-1", *own, "references"), 0.96),
    }
    other = links[Key(*own, "document", "p-1/docs/other.md", "references")]
    assert [(item.signal, item.weight, item.line) for item in other.evidence] == [
        ("frontmatter", 0.9, None),
        ("reference", 0.7, 50),
    ]


def test_a_prd_names_the_plan_that_implements_it() -> None:
    data = DocumentData(path="docs/prd.md", doc_type="prd", refs=[RefData("plan_ref", "docs/plan.md", 3)])
    (key,) = said(data, known=frozenset({"docs/plan.md"}))
    assert key == Key("document", "p-1/docs/plan.md", "document", "p-1/docs/prd.md", "implements")
    (key,) = said(data)
    assert key == Key("document", "p-1/docs/prd.md", "file", "/p/docs/plan.md", "references")


def task(n: int, **fields: Any) -> TaskRow:
    parent, phase = fields.pop("parent", None), fields.pop("phase", None)
    data = TaskData(key=f"T{n}", task_id=f"T{n}", line=10 + n, **fields)
    return TaskRow(f"p-1/d.md#T{n}", "p-1/d.md", "d.md", n, parent, phase, data)


def test_tasks_of_a_document() -> None:
    tasks = [
        task(0, session_ids=["s-1"], commits=["abcdef1"], files=["a.py"]),
        task(1, depends_on=["T0", "T9", "T1"], phase="p-1/d.md#phase-1"),
        task(2, parent="p-1/d.md#T1", phase="p-1/d.md#phase-1"),
    ]
    links = said(DocumentData(path="d.md", doc_type="progress"), tasks)
    assert set(links) == {
        Key("document", "p-1/d.md", "task", "p-1/d.md#T0", "child"),
        Key("phase", "p-1/d.md#phase-1", "task", "p-1/d.md#T1", "child"),
        Key("task", "p-1/d.md#T1", "task", "p-1/d.md#T2", "child"),
        Key("task", "p-1/d.md#T0", "task", "p-1/d.md#T1", "blocks"),
        Key("task", "p-1/d.md#T0", "commit", "p-1/abcdef1", "references"),
        Key("task", "p-1/d.md#T0", "file", "/p/a.py", "references"),
        Key("session", "s-1", "task", "p-1/d.md#T0", "implements"),
    }
    assert links[Key("task", "p-1/d.md#T0", "task", "p-1/d.md#T1", "blocks")].evidence[0].line == 11


def test_features_are_linked_by_explicit_evidence_only() -> None:
    till = document(PRD, "prd")
    later = document("docs/PRDs/till-v2.md", "prd", prd_ref=PRD)
    coins = document("docs/PRDs/coins.md", "prd", supersedes=[PRD])
    notes = document("docs/PRDs/notes.md", "prd")
    notes.files = [PRD]
    with cache() as connection:
        one = Cache(connection)
        one.write(APP, map(file, [till, later, coins, notes]))
        rows = [row for row in one.links().values() if row[0] == row[2] == "feature"]
    assert {(row[1], row[3], row[4], row[5], row[6]) for row in rows} == {
        (f"{ID}/till-v2", FEATURE, "related", 1.0, "version"),
        (f"{ID}/till-v2", FEATURE, "references", 0.9, "reference"),
        (f"{ID}/coins", FEATURE, "related", 1.0, "lineage"),
    }
