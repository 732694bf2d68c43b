"""Parts of the samples: one of each entity, written by hand."""

from __future__ import annotations

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
    documents=12,
    features=2,
    last_activity_at=TIME,
    tokens=TOKENS,
)
FEATURE_ENTITY = t.Entity(type="feature", id="p1/checkout", title="Checkout", status="in_progress", project_id="p1")
TASK_ENTITY = t.Entity(
    type="task", id="p1/.claude/progress/checkout/phase-1-progress.md#T1-002", title="T1-002", missing=True
)
SESSION_REF = t.EntityRef(type="session", id=SESSION)
EXTERNAL_LINK = t.ExternalLink(
    id="0a1b2c3d4e5f",
    entity=SESSION_REF,
    url="https://github.com/me/shop/pull/42",
    label="GitHub PR #42",
    category="vcs",
    created_at=TIME,
)
EVIDENCE = t.Evidence(
    signal="command",
    weight=0.96,
    place="/logs/a.jsonl",
    offset=120,
    detail="/dev:execute-phase 1 docs/project_plans/PRDs/checkout-v1.md",
    count=2,
)
MISMATCH = t.Mismatch(
    code="completed_with_open_tasks",
    message="phase-1-progress.md says completed, but 1 of 2 tasks is open",
    declared="completed",
    computed="1 of 2",
    evidence=[t.Evidence(signal="task", weight=1.0, place=".claude/progress/checkout/phase-1-progress.md", line=9)],
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
    tags=["urgent"],
    external_links=[EXTERNAL_LINK],
    metadata={"note": "Till is fine now", "rating": 5},
    related=[FEATURE_ENTITY],
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
    session_id=SESSION,
    branch="e1",
)
BLOB = t.BlobRef(id="e1.0", media_type="image/png", declared="image/png", bytes=3, sha256="ab" * 32)
BRANCH = t.Branch(
    id="e1",
    kind="main",
    parent=None,
    parent_entry=None,
    joined=True,
    first="e1",
    last="e2",
    start=0,
    end=1,
    entries=2,
    unjoined=0,
    total=2,
    prompt="The till is open",
    started_at=TIME,
    ended_at=TIME,
    current=True,
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
TASK_COUNTS = t.Counts(total=3, done=1, blocked=1, todo=1)
DOCUMENT_ROW = t.DocumentRow(
    id="p1/.claude/progress/checkout/phase-1-progress.md",
    project_id="p1",
    project_name="shop",
    path=".claude/progress/checkout/phase-1-progress.md",
    title="Phase 1",
    doc_type="progress",
    raw_status="Completed",
    status="done",
    feature_id="p1/checkout",
    tasks=TASK_COUNTS,
    findings=1,
    recovered=True,
    size=2048,
    modified_at=TIME,
)
BLOCKER = t.Blocker(
    title="Till is locked",
    description="",
    severity="high",
    raw_status="",
    open=True,
    tasks=["T1-002"],
    path=DOCUMENT_ROW.path,
    line=20,
)
CRITERION = t.Criterion(text="Coins are counted", raw_status="pending", met=None, path=DOCUMENT_ROW.path, line=24)
TASK_ROW = t.TaskRow(
    id="p1/.claude/progress/checkout/phase-1-progress.md#T1-001",
    project_id="p1",
    project_name="shop",
    document_id=DOCUMENT_ROW.id,
    path=DOCUMENT_ROW.path,
    line=9,
    feature_id="p1/checkout",
    phase_id=f"{DOCUMENT_ROW.id}#phase-1",
    phase="1",
    task_id="T1-001",
    title="Count the coins",
    raw_status="completed",
    status="done",
    priority="high",
    assignees=["ada"],
    effort="2 pts",
    form="list",
    recovered=True,
)
FEATURE_ROW = t.FeatureRow(
    id="p1/checkout",
    project_id="p1",
    project_name="shop",
    slug="checkout",
    name="Checkout",
    status="in_progress",
    raw_status="in-progress",
    category="features",
    priority="high",
    phases=1,
    phases_done=0,
    tasks=TASK_COUNTS,
    progress=1 / 3,
    documents=2,
    sessions=1,
    open_blockers=1,
    mismatches=1,
    modified_at=TIME,
)
PHASE = t.Phase(
    id=f"{DOCUMENT_ROW.id}#phase-1",
    feature_id="p1/checkout",
    phase="1",
    title="Count",
    raw_status="Completed",
    status="done",
    document_id=DOCUMENT_ROW.id,
    path=DOCUMENT_ROW.path,
    line=4,
    tasks=TASK_COUNTS,
    progress=1 / 3,
    started="2026-02-01",
    completed="",
    mismatches=[MISMATCH],
)
COST = t.Cost(usd=1.25, provenance="lower_bound", unpriced_models=["model-2"])
LINK = t.Link(
    id="a1b2c3d4e5f6",
    source=t.Entity(type="session", id=SESSION, title="Fix the till", status="completed", project_id="p1"),
    target=FEATURE_ENTITY,
    link_type="related",
    origin="auto",
    confidence=0.9,
    signals=["command", "write"],
    dismissed=False,
    note="",
    created_at=None,
)
TREE = t.Tree(
    items=[
        t.TreeNode(
            type="folder",
            id="docs",
            title="docs",
            status="",
            children=[t.TreeNode(type="document", id="p1/docs/a.md", title="A", status="todo", children=[], more=0)],
            more=2,
        )
    ],
    revision=9,
)
SET = t.StatusResult(
    applied=False,
    files=[
        t.FileEdit(
            path=DOCUMENT_ROW.path,
            document_id=DOCUMENT_ROW.id,
            hash="aa",
            new_hash="bb",
            changes=[t.LineChange(line=9, field="tasks.T1-002.status", before='"pending"', after='"completed"')],
            diff='-    status: "pending"\n+    status: "completed"\n',
        )
    ],
    entity=FEATURE_ENTITY,
    revision=9,
)
TAG = t.Tag(name="urgent", color="#ff0000", count=1)
TAGS = t.Tags(items=[TAG], revision=9)
METADATA = t.Metadata(entity=SESSION_REF, values={"rating": 5, "seen": [1, None]}, revision=9)
RESCANNED = t.RescanResult(
    files=4, parsed=1, appended=1, gone=0, documents=12, documents_read=2, documents_gone=1, seconds=0.25, revision=9
)
SUBSCRIBED = t.SubscribeResult(topics=["sessions"], revision=9)
OK = t.Ok(revision=9)
