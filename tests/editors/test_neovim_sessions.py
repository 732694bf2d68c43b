"""Lists, transcripts and blame in a real Neovim."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cli import plans
from tests.editors.conftest import Start
from tests.editors.neovim import Neovim
from tests.editors.world import ANSWER, PROMPT, SECOND_PROMPT, World
from tests.helpers import wait_until
from tests.store.edited import Clock, Session

_seeds = itertools.count(1)
NAME = "vim.api.nvim_buf_get_name(0)"


def opened(neovim: Neovim, end: str) -> None:
    """Wait until a buffer whose name ends so is in the current window."""
    wait_until(lambda: neovim.value(NAME).endswith(end), f"a buffer named …{end}")


def closed(neovim: Neovim) -> list[str]:
    """Headings of closed folds."""
    code = """
    local found = {}
    for number = 1, vim.api.nvim_buf_line_count(0) do
      if vim.fn.foldclosed(number) == number then table.insert(found, vim.fn.getline(number)) end
    end
    return found
    """
    found: list[str] = neovim.lua(code)
    return found


# --- lists ---


def test_sessions_are_found_by_words_and_by_file(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command("CcdashSessions round cents")
    (row,) = neovim.offered("Sessions")
    assert SECOND_PROMPT in row
    neovim.lua("asked = {}")
    neovim.choose(SECOND_PROMPT)
    neovim.command("CcdashSessions")
    changes = [touch["change"] for touch in world.ask("files/context", path=str(world.till))["sessions"]]
    assert [row.rsplit("  ", 1)[1] for row in neovim.offered("Sessions that touched till.py")] == [
        f"+{change['additions']} -{change['deletions']}" for change in changes
    ]
    opened(neovim, world.second.id)


def test_features_lead_to_phases_and_sessions(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.choose("1 session")
    neovim.command("CcdashFeatures")
    neovim.offered("Features")
    items = neovim.offered("Checkout: in_progress, 2/4 tasks")
    assert [item.split()[0] for item in items].count("session") == 1
    assert any("phase 2: Payment  1/3 tasks" in item for item in items)
    neovim.choose("phase 2: Payment")
    neovim.lua("require('ccdash.pickers').feature(...)", world.ask("features/get", id="checkout")["id"])
    opened(neovim, "phase-2-progress.md")


def test_a_task_leads_to_its_line(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.choose("Give change")
    neovim.command("CcdashTasks")
    items = neovim.offered("Tasks")
    assert not [item for item in items if "done" in item.split()[0]]
    opened(neovim, ".md")
    assert "T2-002" in neovim.value("vim.fn.getline('.')")


def test_active_sessions_are_those_that_are_written(start: Start, world: World) -> None:
    session = running(world, "Count the stock.")
    neovim = start(world.till)
    neovim.command("CcdashActive")
    rows = neovim.offered("Active sessions")
    assert [row for row in rows if "● Count the stock." in row]
    assert not [row for row in rows if PROMPT in row]
    assert "Count the stock." in rows[0], "the last first"
    neovim.choose("Count the stock.")
    neovim.command("CcdashActive")
    opened(neovim, session.id)


def test_the_list_of_neovim_itself_is_answered_by_keys(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.lua("package.loaded['vim.ui'] = nil; vim.ui = require('vim.ui')")
    neovim.command("CcdashSessions")
    wait_until(lambda: neovim.request("nvim_get_mode") != {"mode": "n", "blocking": False}, "the list")
    neovim.keys("2<CR>")
    opened(neovim, world.session.id)


def test_what_needs_a_file_says_so(start: Start, world: World) -> None:
    neovim = start()
    for number, command in enumerate(
        ("CcdashSessions", "CcdashTranscript", "CcdashBlame", "CcdashHover", "CcdashSetStatus"), 1
    ):
        neovim.command(command)
        assert len(neovim.notes()) == number
        assert neovim.notes()[-1].startswith("ccdash: this buffer is no file;")


# --- transcripts ---


def test_a_transcript_is_markdown_with_folds_that_cannot_be_changed(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command(f"CcdashTranscript {world.session.id[:8]}")
    opened(neovim, world.session.id)
    lines = neovim.lines()
    assert lines[0] == f"# {PROMPT}"
    assert ANSWER in lines
    assert PROMPT in lines
    assert [heading.split(" · ")[0] for heading in closed(neovim)] == ["### Write", "### result"]
    assert neovim.value("{ vim.bo.filetype, vim.bo.buftype, vim.bo.modifiable }") == ["markdown", "nofile", False]
    neovim.keys("q")
    opened(neovim, "till.py")
    neovim.until("#vim.api.nvim_list_wins() == 1")
    assert not neovim.value("vim.fn.bufexists(...)", f"ccdash://transcript/{world.session.id}")


def test_a_transcript_that_is_shown_is_not_opened_twice(start: Start, world: World) -> None:
    neovim = start(world.till)
    for _ in range(2):
        neovim.command(f"CcdashTranscript {world.session.id}")
    opened(neovim, world.session.id)
    neovim.command("wincmd p")
    neovim.command(f"CcdashTranscript {world.session.id}")
    opened(neovim, world.session.id)
    assert neovim.value("#vim.api.nvim_list_wins()") == 2
    assert neovim.notes() == []


def test_the_daemon_may_show_a_document(start: Start, world: World) -> None:
    """As it does for editors that have no transcripts of their own."""
    neovim = start(world.till)
    command = {"command": "ccdash.openTranscript", "arguments": [{"session": world.session.id}]}
    neovim.lua("require('ccdash.client').ask('workspace/executeCommand', ..., function() end)", command)
    opened(neovim, ".md")
    assert any(ANSWER in line for line in neovim.lines())


def test_a_block_leads_to_its_place_in_the_transcript(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.seen("def total", PROMPT)
    neovim.to("def total")
    neovim.lua("vim.lsp.codelens.run()")
    opened(neovim, world.session.id)
    assert neovim.value("vim.fn.getline('.')").startswith("### Write")
    assert [heading.split(" · ")[0] for heading in closed(neovim)] == ["### result"], "its own fold is open"


def running(world: World, prompt: str) -> Session:
    """A session of this minute."""
    session = Session(Clock(next(_seeds), datetime.now(UTC)), str(world.shop))
    session.prompt(prompt)
    session.save(world.daemon.home / ".claude/projects")
    wait_until(lambda: session.id in [row["id"] for row in world.ask("sessions/list")["items"]], "the session")
    return session


def grow(world: World, session: Session) -> None:
    """Add to a session's log what it got, as agents do, and wait until the daemon knows it."""
    with session.log(world.daemon.home / ".claude/projects").open("ab") as log:
        log.write(session.data()[log.tell() :])
    wait_until(lambda: world.ask("sessions/get", id=session.id)["endedAt"] == session.records[-1]["timestamp"], "the rest")


def test_a_running_session_is_followed(start: Start, world: World) -> None:
    session = running(world, "Follow me.")
    neovim = start(world.till)
    neovim.command(f"CcdashTranscript {session.id}")
    opened(neovim, session.id)
    for words in ("One thing.", "Another thing."):
        session.say(words)
        grow(world, session)
        wait_until(lambda words=words: words in neovim.lines(), words)
    assert [line for line in neovim.lines() if line.endswith("thing.")] == ["One thing.", "Another thing."]


def test_a_long_transcript_is_read_in_parts(start: Start, world: World) -> None:
    session = running(world, "Say many things.")
    for number in range(450):
        session.say(f"Thing {number}.")
    grow(world, session)
    things = [f"Thing {number}." for number in range(450)]

    def shown() -> list[str]:
        return [line for line in neovim.lines() if line.startswith("Thing")]

    neovim = start(world.till)
    neovim.command(f"CcdashTranscript {session.id}")
    opened(neovim, session.id)
    assert shown() == things[-200:]
    assert "… 251 earlier entries; [e shows more" in neovim.lines()
    for count in (400, 450):
        neovim.keys("[e")
        wait_until(lambda count=count: shown() == things[-count:], f"{count} things")
    assert not [line for line in neovim.lines() if "earlier" in line]
    first = world.ask("sessions/transcript", id=session.id, limit=1)["items"][0]["id"]
    neovim.keys("q")
    opened(neovim, "till.py")
    neovim.command(f"CcdashTranscript {session.id} {first}")
    opened(neovim, session.id)
    assert "… 251 later entries; ]e shows more" in neovim.lines()
    neovim.keys("]e")
    wait_until(lambda: shown() == things[:399], "later things")


def test_an_entry_that_was_cut_is_shown_whole(start: Start, world: World) -> None:
    session = running(world, "Be long.")
    words = [f"word{number}" for number in range(40_000)]
    session.say(" ".join(words))
    session.say("And short.")
    grow(world, session)
    neovim = start(world.till)
    neovim.command(f"CcdashTranscript {session.id}")
    opened(neovim, session.id)
    assert " ".join(words) not in neovim.lines()
    neovim.to("word0")
    neovim.keys("<CR>")
    wait_until(lambda: " ".join(words) in neovim.lines(), "all words")
    assert "And short." in neovim.lines()
    assert not [line for line in neovim.lines() if "<CR> shows all" in line]


def test_text_of_a_transcript_stays_text(start: Start, world: World) -> None:
    """Fences and control characters in what an agent read end no fence and start nothing."""
    session = running(world, "Be nasty.")
    session.call("Bash", {"stdout": "x"}, command="echo '```\n# no heading\n````'")
    session.say("a\x1b]0;title\x07b \x00c\r\nvim: set modifiable:")
    grow(world, session)
    neovim = start(world.till)
    neovim.command(f"CcdashTranscript {session.id}")
    opened(neovim, session.id)
    lines = neovim.lines()
    place = lines.index("# no heading")
    fence = lines[place - 2]
    assert fence.strip("`") == ""
    assert len(fence) > 4
    assert lines[place + 2] == fence
    assert not neovim.value("vim.bo.modifiable")


def test_an_unknown_session_is_said_in_one_line(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command("CcdashTranscript ffffffff")
    assert "\n" not in neovim.note("ffffffff")


# --- blame ---


def test_blame_stands_beside_the_file_and_leads_to_transcripts(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command("CcdashBlame")
    neovim.note("6 of 7 lines were written by agents")
    notes = neovim.lines()
    assert [bool(note) for note in notes] == [False] + 6 * [True]
    assert "opus-4-5 · $" in notes[1]
    assert PROMPT[:15] in notes[1]
    assert notes[2:6] == 4 * ["│"]
    assert SECOND_PROMPT[:15] in notes[6]
    neovim.request("nvim_win_set_cursor", 0, [7, 0])
    neovim.keys("<CR>")
    opened(neovim, world.second.id)
    neovim.keys("q")
    neovim.until("vim.bo.filetype == 'ccdash-blame'")
    neovim.command("CcdashBlame")
    neovim.until("#vim.api.nvim_list_wins() == 1")
    options = "{{ {0}.scrollbind, {0}.wrap, {0}.foldmethod }}"
    assert neovim.value(options.format("vim.wo")) == [False, True, "manual"], "as it was"
    neovim.command("tabnew")
    assert neovim.value(options.format("vim.wo")) == [False, True, "manual"], "and elsewhere"


def test_blame_is_of_the_text_as_it_is_now(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.keys("ggOfrom math import *<CR><Esc>")
    neovim.until("vim.bo.modified")
    neovim.command("CcdashBlame")
    neovim.note("6 of 9 lines were written by agents")
    assert [bool(note) for note in neovim.lines()] == 3 * [False] + 6 * [True]


def test_a_file_of_people_has_no_blame(start: Start, world: World) -> None:
    neovim = start(world.shop / next(iter(plans.SHOP)))
    neovim.command("CcdashBlame")
    neovim.note("no line of this file was written by an agent")
    assert neovim.value("#vim.api.nvim_list_wins()") == 1


# --- status line ---


def test_the_status_line_says_what_was_spent(start: Start, world: World) -> None:
    session = running(world, "Spend something.")
    session.say("Gladly.")
    grow(world, session)
    neovim = start()
    text = "require('ccdash').statusline()"
    assert neovim.value(text) == ""
    assert not neovim.value("require('ccdash.client').current()"), "it starts nothing"
    neovim.edit(world.till)
    neovim.attached()
    told = world.ask("analytics/statusline", cwd=str(world.shop))
    shown = neovim.until(f"{text} ~= '' and {text}")
    assert f"{told['active']} live" in shown
    assert f"${told['today']['usd']:.2f} today" in shown


@pytest.mark.parametrize("today", [None, {"usd": 1.5, "provenance": "lower_bound"}, {"usd": 0, "provenance": "unpriced"}])
def test_figures_read_as_elsewhere(start: Start, today: Any) -> None:
    neovim = start()
    code = "return require('ccdash.words').cost(require('ccdash.compat').plain(vim.json.decode(...)))"
    shown = neovim.lua(code, json.dumps(today))
    assert shown == (">=$1.50" if today and today["usd"] else "")
