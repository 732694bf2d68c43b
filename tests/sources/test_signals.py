"""What a log says of plans and commits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.signals import COMMAND_CAP, PATHS_CAP, markdown_paths
from tests.sources.logs import Read, Writer, call, line, read, text

PHASE = "<command-name>/dev:execute-phase</command-name>\n<command-args>1-2\n docs/plans/a.md</command-args>"


def said(log: Read) -> list[tuple[str, str]]:
    return [(signal.kind, signal.value) for signal in log.log.signals]


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("see docs/a.md, docs/b.md.", ["docs/a.md", "docs/b.md"]),
        ("Read @docs/a.md:12 and (docs/b.md#part)", ["docs/a.md", "docs/b.md"]),
        ("[a](./docs/a.md) `b.md` 'c d.md' x=docs/e.md", ["./docs/a.md", "b.md", "d.md", "docs/e.md"]),
        ("a.md a.md ../b.md ~/c.md /d/e.md", ["a.md", "../b.md", "~/c.md", "/d/e.md"]),
        ("docs/*.md $DIR/a.md C:\\a.md http://x/b.md", []),
        ("a.mdx b.md.bak c.md5 .md /.md d.md-old no.MD", []),
        ("docs/é/ü.md 日本.md", ["docs/é/ü.md", "日本.md"]),
        ("x" * 400 + ".md " + "y" * 300 + ".md", ["y" * 300 + ".md"]),
    ],
)
def test_paths_of_markdown_files(words: str, paths: list[str]) -> None:
    assert markdown_paths(words) == paths


def test_paths_are_bounded() -> None:
    assert markdown_paths(" ".join(f"{n}.md" for n in range(999))) == [f"{n}.md" for n in range(PATHS_CAP)]


@given(st.text(alphabet="ab./@*$ \n`.md", max_size=60))
def test_paths_stand_in_the_text_and_are_no_patterns(words: str) -> None:
    paths = markdown_paths(words)
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert path in words
        assert path.endswith(".md")
        assert not set(path) & set("*$ \n`")


def test_commands_with_their_arguments() -> None:
    w = Writer()
    log = read(
        w.user(PHASE),
        w.user("<command-message>dev:quick-feature</command-message>\n<command-name>/dev:quick-feature</command-name>"),
        w.user("/plan:plan-feature docs/prd.md --fast"),
        w.user("/tmp/a.md is no command"),
        w.user("<command-name>/x</command-name><command-args>" + "y" * 9999 + "</command-args>"),
    )
    assert said(log)[:4] == [
        ("command", "/dev:execute-phase 1-2 docs/plans/a.md"),
        ("command", "/dev:quick-feature"),
        ("command", "/plan:plan-feature docs/prd.md --fast"),
        ("mention", "/tmp/a.md"),
    ]
    assert [len(signal.value) for signal in log.log.signals[4:]] == [COMMAND_CAP]


def test_commands_that_the_agent_gives() -> None:
    w = Writer()
    log = read(
        w.assistant(call("t1", "SlashCommand", command="/dev:execute-phase 3 docs/a.md")),
        w.assistant(call("t2", "Skill", skill="dev:quick-feature", args="docs/b.md")),
        w.assistant(call("t3", "Skill", skill="recovering-sessions")),
        w.assistant(call("t4", "Skill")),
    )
    assert [value for _, value in said(log)] == [
        "/dev:execute-phase 3 docs/a.md",
        "/dev:quick-feature docs/b.md",
        "/recovering-sessions",
    ]


def test_what_a_person_did_not_type_is_no_mention() -> None:
    w = Writer()
    log = read(
        w.user("Read docs/a.md", isSidechain=True, parentUuid=None),
        w.user("docs/b.md", isMeta=True),
        w.user("docs/c.md", isCompactSummary=True),
        w.user("<ide_opened_file>docs/d.md</ide_opened_file>Look at docs/e.md"),
        w.user("<local-command-stdout>docs/f.md</local-command-stdout>"),
        w.record("attachment", attachment={"type": "queued_command", "prompt": "then docs/g.md"}),
        w.record("queue-operation", operation="enqueue", content="then docs/g.md", uuid=...),
        w.record("attachment", attachment={"type": "queued_command", "prompt": "docs/h.md", "origin": {"kind": "agent"}}),
        w.user([{"type": "tool_result", "tool_use_id": "t", "content": "docs/i.md"}, text("and docs/j.md")]),
    )
    assert said(log) == [("mention", f"docs/{name}.md") for name in "aegj"]


def test_shell_lines_name_files() -> None:
    w = Writer()
    log = read(
        w.assistant(call("t1", "Bash", command="python status.py --file=.claude/progress/x/p.md && cat docs/*.md > b.md")),
        w.assistant(call("t2", "Grep", pattern="a.md")),
        w.assistant(call("t1", "Bash", command="cat again.md")),
    )
    assert said(log) == [("shell", ".claude/progress/x/p.md"), ("shell", "b.md")]


CHANGED = " 1 file changed, 2 insertions(+)"


@pytest.mark.parametrize(
    ("output", "commits"),
    [
        (f"[main abc1234] Fix it\n{CHANGED}", ["abc1234"]),
        (f"hook: ok\n[feat/x-1 0123456789ab] Fix [it] deadbee\n{CHANGED}", ["0123456789ab"]),
        (f"[main (root-commit) abc1234] So\n{CHANGED}\n[detached HEAD def5678] So\n{CHANGED}", ["abc1234", "def5678"]),
        ("[main abc1234] nothing changed", []),
        (f"see [main abc1234] above\n{CHANGED}", []),
        (f"[main ABC1234] no\n[main abc12] no\n[12:00 INFO] no\n{CHANGED}", []),
    ],
)
def test_commits_in_the_output_of_the_shell(output: str, commits: list[str]) -> None:
    w = Writer()
    bash = w.assistant(call("t1", "Bash", command="git commit"))
    assert said(read(bash, w.result("t1", output))) == [("commit", digest) for digest in commits]
    assert said(read(bash, w.result("t1", [text(output)]))) == [("commit", digest) for digest in commits]
    other = w.assistant(call("t2", "Read", file_path="/log"))
    assert said(read(other, w.result("t2", output))) == []


def test_a_signal_says_where_and_when() -> None:
    w = Writer()
    before, record = line(w.user("Hello")), w.user("docs/a.md")
    log = Read(before + line(record) + line(record))
    (signal,) = log.log.signals
    assert (signal.offset, signal.time) == (len(before), log.stats.ended_at)
