"""One answer of every method and one message of every notification, written by hand."""

from __future__ import annotations

from ccdashd.protocol import methods as m
from ccdashd.protocol import types as t

SESSION = "5f3c1d9e-8a53-4f0e-9a55-0c1a4f6f5b0e"
TIME = "2026-02-03T04:05:06.789Z"

INDEXING = t.Indexing(phase="parse", done=10, total=40, files_done=1, files_total=4, rate=5.0, eta=6.0)
PROBLEM = t.Problem(part="database", problem="the disk is full", hint="free some space", since=TIME)
DIAGNOSTIC = t.Diagnostic(
    code="broken-json",
    severity="warning",
    message="not JSON",
    path="/logs/a.jsonl",
    line=3,
    offset=120,
    length=7,
    session_id=SESSION,
)
TOKENS = t.Tokens(input=5, output=7, cache_read=11, cache_write=13, cache_write5m=6, cache_write1h=4)
PROJECT = t.Project(
    id="p1",
    name="shop",
    root="/home/me/shop",
    origin="discovered",
    hidden=False,
    sessions=3,
    subagents=1,
    last_activity_at=TIME,
    tokens=TOKENS,
)
ROW = t.SessionRow(
    id=SESSION,
    project_id="p1",
    project_name="shop",
    title="Fix the till",
    title_source="ai",
    agent="claude-code",
    status="completed",
    model="model-1",
    started_at=TIME,
    ended_at=None,
    duration=12.5,
    cwd="/home/me/shop",
    git_branch="main",
    records=20,
    prompts=2,
    tool_calls=4,
    tool_errors=1,
    tokens=TOKENS,
    subagents=0,
    parent_id=None,
    source_gone=False,
    indexed=True,
)
COUNTS = t.SessionCounts(
    records=20,
    prompts=2,
    commands=0,
    assistant_messages=6,
    tool_calls=4,
    tool_errors=1,
    compactions=0,
    subagents=0,
    steering=1,
)
DETAIL = t.Session(
    id=SESSION,
    project_id="p1",
    project_name="shop",
    title="Fix the till",
    title_source="prompt",
    agent="claude-code",
    status="active",
    model="model-1",
    models={"model-1": 6},
    started_at=TIME,
    ended_at=TIME,
    duration=0.0,
    cwd="/home/me/shop",
    cwds={"/home/me/shop": 20},
    git_branch="main",
    git_branches={"main": 20},
    version="2.1.0",
    versions={"2.1.0": 20},
    source_files=["/logs/a.jsonl"],
    source_gone=False,
    indexed=True,
    counts=COUNTS,
    tools={"Edit": 4},
    commands={},
    tokens=TOKENS,
    tokens_own=t.Tokens(),
    tokens_mirrored=t.Tokens(input=1),
    tokens_by_model={"model-1": TOKENS},
    output_lower_bound_messages=0,
    files_edited=["/home/me/shop/till.py"],
    files_changed=[],
    first_prompt="The till is open",
    summaries=["Till fixed"],
    slug="",
    pr_links=[],
    record_types={"user": 8, "assistant": 12},
    parent_id=None,
    parent_tool_use_id=None,
    agent_type=None,
    subagents=[],
    forked_from=[],
    forks=[],
    diagnostics=[DIAGNOSTIC],
    revision=9,
)
ENTRY = t.Entry(
    id="e1",
    index=0,
    kind="toolCall",
    timestamp=TIME,
    text='{"path": "till.py"} */ `|`',
    truncated=False,
    uuid="u1",
    parent_uuid=None,
    model="model-1",
    tool="Edit",
    tool_use_id="toolu_1",
    is_error=False,
    sidechain=False,
    file="/logs/a.jsonl",
    offset=0,
    length=120,
)
CALL = t.ToolCall(
    id="toolu_1",
    name="Edit",
    status="pending",
    target="till.py",
    started_at=TIME,
    seconds=None,
    agent_id=None,
    entry="e1",
)
CHANGE = t.FileChange(
    path="/home/me/shop/till.py",
    reads=1,
    edits=4,
    failed=1,
    additions=10,
    deletions=2,
    created=False,
    first_at=TIME,
    last_at=TIME,
)
NODE = t.ThreadNode(
    id=SESSION,
    relation="self",
    title="Fix the till",
    agent_type=None,
    tool_use_id=None,
    parent_id=None,
    started_at=TIME,
    ended_at=TIME,
    tokens=TOKENS,
    missing=False,
)
RESCANNED = t.RescanResult(files=4, parsed=1, appended=1, gone=0, seconds=0.25, revision=9)
SUBSCRIBED = t.SubscribeResult(topics=["sessions"], revision=9)
OK = t.Ok(revision=9)


def _page(item: t.Wire) -> t.Page[t.Wire]:
    return t.Page(items=[item], total=2, offset=0, limit=1, revision=9, next_cursor="k")


RESULTS: dict[str, t.Wire] = {
    m.HELLO.name: t.HelloResult(
        version="0.1.0",
        protocol=1,
        schema="0001",
        pid=42,
        started_at=TIME,
        revision=9,
        profile="default",
        indexing=INDEXING,
    ),
    m.STATUS.name: t.Status(
        state="degraded",
        version="0.1.0",
        pid=42,
        profile="default",
        started_at=TIME,
        uptime=3.5,
        revision=9,
        clients=1,
        indexing=INDEXING,
        watch=t.WatchStatus(mode="inotify", directories=3, restarts=0, overflows=0, events=8),
        roots=[t.Root(path="/logs", agent="claude-code", exists=True, files=4)],
        counts={"sessions": 3},
        problems=[PROBLEM],
        socket="/run/ccdash/s",
        database="/cache/cache.db",
        database_bytes=4096,
        memory_bytes=50_000_000,
        auto_started=True,
    ),
    m.DOCTOR.name: t.Doctor(
        problems=[PROBLEM],
        diagnostics=[DIAGNOSTIC],
        total=1,
        by_code={"broken-json": 1},
        record_types={"user": 8},
        unknown_record_types={},
        hidden_sessions=0,
        revision=9,
    ),
    m.SUBSCRIBE.name: SUBSCRIBED,
    m.UNSUBSCRIBE.name: SUBSCRIBED,
    m.CHANGES.name: t.Changes(revision=9, fresh=False, changes=[t.Change(type="session", id=SESSION, op="upsert")]),
    m.SHUTDOWN.name: OK,
    m.PROJECTS_LIST.name: _page(PROJECT),
    m.PROJECTS_GET.name: PROJECT,
    m.PROJECTS_ADD.name: PROJECT,
    m.PROJECTS_UPDATE.name: PROJECT,
    m.PROJECTS_REMOVE.name: OK,
    m.SESSIONS_LIST.name: _page(ROW),
    m.SESSIONS_GET.name: DETAIL,
    m.SESSIONS_TRANSCRIPT.name: t.Transcript(
        session_id=SESSION, items=[ENTRY], total=2, start=0, next=1, previous=None, revision=9
    ),
    m.SESSIONS_ENTRY.name: t.EntryPayload(entry=ENTRY, record={"type": "user", "n": [1, None]}, raw=None, revision=9),
    m.SESSIONS_TOOLS.name: t.Tools(
        usage=[t.ToolUsage(name="Edit", calls=4, success=2, errors=1, pending=1, total_seconds=1.5)], calls=_page(CALL)
    ),
    m.SESSIONS_FILES.name: t.SessionFiles(items=[CHANGE], revision=9),
    m.SESSIONS_THREAD.name: t.Thread(session_id=SESSION, nodes=[NODE], revision=9),
    m.SESSIONS_ACTIVE.name: t.SessionRows(items=[ROW], revision=9),
    m.FILES_CONTEXT.name: t.FileContext(
        path="/home/me/shop/till.py",
        project=None,
        sessions=[t.FileTouch(session=ROW, change=CHANGE)],
        total=1,
        revision=9,
    ),
    m.CACHE_STATUS.name: t.CacheStatus(
        revision=9,
        schema="0001",
        database="/cache/cache.db",
        database_bytes=4096,
        wal_bytes=0,
        source_bytes=99,
        source_files=4,
        files_gone=0,
        sessions=3,
        subagents=1,
        messages=6,
        tokens=TOKENS,
        tokens_mirrored=t.Tokens(),
        output_lower_bound_messages=0,
        files_parsed=4,
        records_parsed=20,
        rows_written=30,
        indexing=INDEXING,
    ),
    m.CACHE_RESCAN.name: RESCANNED,
    m.CACHE_REBUILD.name: RESCANNED,
    m.CACHE_VERIFY.name: t.VerifyResult(ok=False, checked_files=4, problems=[PROBLEM], seconds=0.5, revision=9),
}

MESSAGES: dict[str, t.Wire] = {
    m.CHANGED.name: t.ChangedNotification(revision=9, changes=[t.Change(type="session", id=SESSION, op="delete")]),
    m.TRANSCRIPT.name: t.TranscriptNotification(session_id=SESSION, entries=[ENTRY], revision=9, missed=True),
    m.PROGRESS.name: t.ProgressNotification(
        token="index", value=t.WorkDone(kind="report", message="parse: 3 of 9 logs", percentage=33)
    ),
    m.INDEXING.name: t.IndexingNotification(indexing=INDEXING, revision=9),
}
