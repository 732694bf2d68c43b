"""The extension in VS Code: built, installed, and looked at with a browser.

Pictures are kept in the folder that ``CCDASH_SCREENSHOTS`` names.
"""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.editors.vscode.code_server import EXTENSION, CodeServer
from tests.editors.vscode.conftest import GAUGE, LONG, PROMPT, SAID, SECOND_PROMPT, TASK, Demo

# Fetching what the tests need counts for the first of them.
pytestmark = pytest.mark.timeout(900)

Tour = dict[str, Any]


def seen(tour: Tour, step: str) -> Any:
    """What a step saw; fails with what it says where it failed."""
    assert "failed" not in tour[step], tour[step]["failed"]
    return tour[step]["seen"]


def test_the_parts_that_need_no_editor(vsix: Path) -> None:
    done = subprocess.run(["npm", "test", "--silent"], cwd=EXTENSION, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# tests 0" not in done.stdout


def test_the_package_is_small_and_holds_what_it_needs(vsix: Path) -> None:
    assert vsix.stat().st_size < 1_000_000
    names = set(zipfile.ZipFile(vsix).namelist())
    for name in (
        "LICENSE.txt",
        "readme.md",
        "dist/extension.js",
        "dist/transcript.js",
        "dist/transcript.css",
        "dist/search.js",
        "dist/search.css",
        "media/ccdash.svg",
    ):
        assert f"extension/{name}" in names
    assert not any("node_modules" in name or name.endswith((".ts", ".map")) for name in names)


def test_lenses_tell_who_wrote_the_file(tour: Tour) -> None:
    first, *others = seen(tour, "lenses")
    assert first.startswith("1 session")
    assert any(PROMPT in lens for lens in others)


def test_the_line_tells_its_prompt(tour: Tour) -> None:
    assert PROMPT in seen(tour, "blame")


def test_the_status_bar_tells_cost_and_live_sessions(tour: Tour, demo: Demo) -> None:
    text = seen(tour, "statusBar")
    with demo.daemon.client() as client:
        active = client.request("sessions/active")["items"]
    assert "$" in text
    assert text.endswith(f"{len(active)} live")


def test_the_side_bar_is_filled(tour: Tour) -> None:
    views = seen(tour, "sideBar")
    assert any(PROMPT in row for row in views["Active Sessions"])
    (session,) = views["This File"]
    assert PROMPT in session
    assert f"+{GAUGE.count(chr(10))} \N{MINUS SIGN}0" in session
    assert any(row.startswith("Rain gauge in the station firmware") for row in views["Features"])


def test_a_transcript_shows_what_was_said(tour: Tour) -> None:
    told = seen(tour, "transcript")
    texts = "\n".join(told["texts"])
    for words in (PROMPT, SECOND_PROMPT, "Write", "Edit", "The rain is rounded:", "return round(self.tips"):
        assert words in texts
    assert "2 prompts · 2 tool calls" in told["facts"]


def test_a_transcript_goes_on_and_takes_no_text_for_markup(tour: Tour) -> None:
    told = seen(tour, "tail")
    assert SAID in told["text"]
    assert told["markup"] == 0


def test_keys_lead_to_prompts_and_tools_unfold(tour: Tour) -> None:
    told = seen(tour, "keys")
    assert SECOND_PROMPT in told["prompt"]
    assert "MM_PER_TIP = 0.2" in told["input"]


def test_a_long_transcript_keeps_little_in_the_page(tour: Tour) -> None:
    told = seen(tour, "long")
    assert told["size"] == LONG
    assert told["most"] < 200


def test_a_transcript_that_was_hidden_is_where_it_was(tour: Tour) -> None:
    # Heights are measured anew, so that the first entry in the page may be another one close by.
    assert abs(seen(tour, "back") - seen(tour, "long")["first"]) < 30


def test_search_finds_as_one_types_and_leads_to_the_entry(tour: Tour) -> None:
    told = seen(tour, "search")
    assert told["told"] == "1 hit"
    (title,) = told["titles"]
    assert title == PROMPT
    assert "<img src=x onerror=alert(1)>" in told["text"], "text stays text"
    assert told["marks"] == ["onerror"]
    assert told["markup"] == 0
    assert SAID in told["shown"]


def test_search_leads_to_lines_of_plans(tour: Tour, demo: Demo) -> None:
    told = seen(tour, "searchPlan")
    assert demo.plan.name in told["tab"]
    number = int(told["place"].split(",")[0].removeprefix("Ln "))
    assert TASK in "".join(demo.plan.read_text().splitlines()[number - 1 : number + 3])


def test_search_tells_what_it_does_not_understand(tour: Tour) -> None:
    told = seen(tour, "searchWrong")
    assert "nowhere" in told["text"]
    assert told["left"] == "", "Escape begins anew"


def test_a_status_is_set_by_a_change_of_one_line(tour: Tour) -> None:
    told = seen(tour, "setStatus")
    before, after = told["before"].splitlines(), told["after"].splitlines()
    assert len(before) == len(after)
    (changed,) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ("  status: completed", "  status: blocked")


def test_lenses_of_a_plan_tell_statuses(tour: Tour) -> None:
    assert any(lens.startswith("blocked") for lens in seen(tour, "plan"))


def test_the_overview_leads_everywhere(tour: Tour) -> None:
    rows = "\n".join(seen(tour, "overview"))
    assert PROMPT in rows
    for place in ("Sessions", "Features", "Plans"):
        assert place in rows


def test_the_walkthrough_has_three_steps(tour: Tour) -> None:
    assert len(seen(tour, "walkthrough")) == 3


def test_a_daemon_that_ends_is_started_again(tour: Tour, demo: Demo) -> None:
    with demo.daemon.client() as client:
        assert client.request("ccdash/status")["pid"] == seen(tour, "restart")


def test_a_missing_command_is_told_with_what_to_do(tour: Tour, code_server: CodeServer, demo: Demo) -> None:
    code_server.set_machine(**{"ccdash.path": "/nowhere/ccdash"})
    told = code_server.drive("missing.mjs", folder=str(demo.folder))
    message = seen(told, "message")
    assert "/nowhere/ccdash" in message["text"]
    assert message["buttons"] == ["Open Settings", "Try Again"]
    assert "ccdash" in seen(told, "statusBar")
