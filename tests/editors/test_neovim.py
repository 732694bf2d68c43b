"""The plugin in a real Neovim, on a real daemon: what is seen in files, and what can be done there."""

from __future__ import annotations

import difflib
import sys

import pytest

from tests.cli import plans
from tests.editors import other_server
from tests.editors.conftest import Start
from tests.editors.neovim import Neovim
from tests.editors.world import BROKEN, PROMPT, SECOND_PROMPT, World
from tests.helpers import wait_until

TASK = "T2-002"
SET = ["-     status: pending\n", "+     status: completed\n"]
"""What setting the status of the task to done changes."""


def changed(before: str, after: str) -> list[str]:
    """Lines that two texts do not share, as a diff has them."""
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line for line in lines if line[:2] in ("- ", "+ ")]


# --- what is seen ---


def test_the_lens_of_a_file_tells_who_touched_it(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.seen("import sys", "2 sessions")
    neovim.seen("def total", PROMPT)


def test_a_lens_runs_its_command(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.seen("2 sessions")
    neovim.choose("Write a till")
    neovim.lua("vim.lsp.codelens.run()")
    first, second = neovim.offered("Sessions that touched till.py")
    assert SECOND_PROMPT in first
    assert PROMPT in second
    wait_until(lambda: neovim.value("vim.api.nvim_buf_get_name(0)").endswith(world.session.id), "the transcript")


@pytest.mark.parametrize("how", ["CcdashHover", "lua vim.lsp.buf.hover()"])
def test_a_line_tells_its_prompt_and_the_command_that_opens_the_transcript(start: Start, world: World, how: str) -> None:
    neovim = start(world.till)
    neovim.to("round(")
    neovim.command(how)
    text = neovim.floating()
    assert SECOND_PROMPT in text
    assert f":CcdashTranscript {world.second.id} " in text
    assert "command:" not in text


def test_the_hover_of_another_server_comes_first(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.to("round(")
    neovim.lua(
        """
        other = vim.fn.has("nvim-0.11") == 1 and vim.lsp.start or vim.lsp.start_client
        local id = other({ name = "other", cmd = { ... } })
        vim.lsp.buf_attach_client(0, id)
        """,
        sys.executable,
        other_server.__file__,
    )
    neovim.until("#require('ccdash.compat').clients(0) == 2 and require('ccdash.compat').clients(0)[2].initialized ~= nil")
    neovim.lua("vim.lsp.buf.hover()")
    assert other_server.HOVER in neovim.floating()
    # Ours is asked for after it: had both been shown, this answer would find ours.
    neovim.lua("answered = nil; require('ccdash.client').ask('ccdash/status', {}, function() answered = true end)")
    neovim.until("answered")
    assert other_server.HOVER in neovim.floating()
    if neovim.value("vim.fn.has('nvim-0.11')") == 1:
        assert SECOND_PROMPT in neovim.floating()


def test_what_is_wrong_in_a_planning_file_is_a_diagnostic(start: Start, world: World) -> None:
    neovim = start(world.shop / BROKEN)
    neovim.until("#vim.diagnostic.get(0) > 0")
    (found,) = neovim.value("vim.tbl_map(function(d) return { d.source, d.lnum } end, vim.diagnostic.get(0))")
    assert found == ["ccdash", plans.BROKEN.splitlines().index("summary: - `backticks` begin: it")]


def test_a_plan_shows_status_and_work(start: Start, world: World) -> None:
    neovim = start(world.phase)
    neovim.request("nvim_set_option", "columns", 200)
    neovim.seen("---", "Checkout · in progress", "1 session")
    neovim.seen("status: in_progress", "1 of 3 tasks")
    neovim.seen('id: "T2-001"', "done")


def test_what_is_being_typed_counts_before_it_is_saved(start: Start, world: World) -> None:
    neovim = start(world.phase)
    neovim.until("#vim.diagnostic.get(0) == 1")
    neovim.until("next(require('ccdash.texts').registered()) ~= nil")
    neovim.to("completed_tasks: 2")
    neovim.keys("$s1<Esc>")
    neovim.until("#vim.diagnostic.get(0) == 0")
    assert "completed_tasks: 2" in world.phase.read_text(), "nothing was saved"


def test_only_planning_files_are_told_of_while_they_are_written(start: Start, world: World) -> None:
    said = world.folder / "said"
    neovim = start(world.till, setup=f'require("ccdash").setup({{ cmd = {{ "sh", "-c", "tee {said} | ccdash lsp" }} }})')
    neovim.command("split " + str(world.phase))
    neovim.attached()
    neovim.until("next(require('ccdash.texts').registered()) ~= nil")
    neovim.keys("Goof a plan<Esc>")
    wait_until(lambda: "of a plan" in said.read_text(), "the change of a plan")
    neovim.command("wincmd p")
    neovim.keys("Goof a program<Esc>")
    neovim.until("vim.api.nvim_buf_get_lines(0, -2, -1, true)[1] == 'of a program'")
    neovim.command("wincmd p")
    neovim.keys("Gomore<Esc>")
    wait_until(lambda: "more" in said.read_text(), "the next change of a plan")
    assert "of a program" not in said.read_text()


# --- what can be done ---


def set_status(neovim: Neovim, how: str) -> None:
    neovim.seen(TASK)
    neovim.to(TASK)
    if how == "command":
        neovim.command("CcdashSetStatus done")
    elif how == "list":
        neovim.choose(f"Set status of {TASK} to done")
        neovim.command("CcdashSetStatus")
    else:
        neovim.choose(f"Set status of {TASK} to done")
        neovim.lua("vim.lsp.buf.code_action()")


@pytest.mark.parametrize("how", ["command", "list", "action"])
def test_setting_a_status_changes_one_line_and_saves(start: Start, world: World, how: str) -> None:
    path = world.copy(f"set-{how}")
    before = path.read_text()
    neovim = start(path)
    neovim.until("next(require('ccdash.texts').registered()) ~= nil")
    set_status(neovim, how)
    wait_until(lambda: changed(before, path.read_text()) == SET, "the change on disk")
    assert neovim.lines() == path.read_text().splitlines()
    assert not neovim.value("vim.bo.modified")
    neovim.command("normal! u")
    assert neovim.lines() == before.splitlines(), "one undo takes it back"


def test_setting_a_status_leaves_what_was_not_saved_to_the_user(start: Start, world: World) -> None:
    path = world.copy("unsaved")
    before = path.read_text()
    neovim = start(path)
    neovim.until("next(require('ccdash.texts').registered()) ~= nil")
    neovim.keys("ggOof mine<Esc>u")
    neovim.keys("Gomine<Esc>")
    set_status(neovim, "command")
    wait_until(lambda: changed(before, "\n".join(neovim.lines()) + "\n")[:-1] == SET, "the change of the text")
    assert neovim.value("vim.bo.modified")
    assert path.read_text() == before
    neovim.command("write")
    assert changed(before, path.read_text()) == [*SET, "+ mine\n"]


def test_a_status_keeps_a_file_without_a_line_end_and_skips_what_is_done_on_saving(start: Start, world: World) -> None:
    path = world.copy("bytes")
    before = path.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n")
    path.write_bytes(before)
    neovim = start(path)
    neovim.command(r"autocmd BufWritePre * silent! %s/title/TITLE/")
    neovim.until("next(require('ccdash.texts').registered()) ~= nil")
    set_status(neovim, "command")
    start_of_task = before.index(TASK.encode())
    after = before[:start_of_task] + before[start_of_task:].replace(b"pending", b"completed", 1)
    wait_until(lambda: path.read_bytes() == after, "the change on disk")


def test_a_status_that_cannot_be_set_says_which_can(start: Start, world: World) -> None:
    neovim = start(world.phase)
    neovim.to(TASK)
    neovim.command("CcdashSetStatus finished")
    assert "in_progress" in neovim.note("'finished' cannot be set here")
    neovim.to("total_tasks")
    neovim.command("CcdashSetStatus done")
    neovim.note("no status can be set here")


def test_a_quick_fix_repairs_the_frontmatter(start: Start, world: World) -> None:
    path = world.shop / "docs/project_plans/reports/other.md"
    path.write_text(plans.BROKEN)
    neovim = start(path)
    neovim.until("#vim.diagnostic.get(0) > 0")
    neovim.to("summary")
    neovim.choose("")
    neovim.lua("vim.lsp.buf.code_action({ context = { diagnostics = {}, only = { 'quickfix' } } })")
    neovim.until("vim.bo.modified")
    (old, new) = changed(plans.BROKEN, "\n".join(neovim.lines()) + "\n")
    assert old.startswith("- summary: ")
    assert new.startswith("+ summary: ")
    neovim.command("write")
    neovim.until("#vim.diagnostic.get(0) == 0")


def test_symbols_are_found_by_name(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.lua("vim.lsp.buf.workspace_symbol('Give change')")
    neovim.until("#vim.fn.getqflist() > 0")
    assert any("Give change" in item["text"] for item in neovim.value("vim.fn.getqflist()"))


# --- two editors, other files, other settings ---


def test_two_editors_on_one_file_agree(start: Start, world: World) -> None:
    path = world.copy("agree")
    before = path.read_text()
    first, second = start(path), start(path)
    for neovim in (first, second):
        neovim.until("next(require('ccdash.texts').registered()) ~= nil")
        neovim.seen(TASK, "todo")
    set_status(first, "command")
    wait_until(lambda: changed(before, path.read_text()) == SET, "the change on disk")
    for neovim in (first, second):
        neovim.seen(TASK, "done")
        assert neovim.lines() == path.read_text().splitlines()
    set_status(second, "command")
    second.note("'done' cannot be set here")


def test_files_outside_projects_are_left_alone(start: Start, world: World) -> None:
    other = world.folder / "other.py"
    other.write_text("pass\n")
    neovim = start()
    for command in (f"edit {other}", "enew", "help", "terminal true"):
        neovim.command(command)
        assert not neovim.value("require('ccdash.client').owns(vim.api.nvim_get_current_buf())"), command
    assert not neovim.value("require('ccdash.client').current()"), "nothing was started"


def test_options_choose_files_and_keys(start: Start, world: World) -> None:
    setup = """require("ccdash").setup({ filetypes = { "markdown" }, lens = false, hints = false,
    keymaps = { sessions = "<Space>s", run_lens = "<Space>l" } })"""
    neovim = start(world.phase, setup=setup)
    neovim.until("#vim.diagnostic.get(0) == 1")
    assert neovim.seen('id: "T2-001"').endswith('"T2-001"')
    neovim.keys(" s")
    neovim.note("Sessions that touched phase-2-progress.md: there are none")
    neovim.edit(world.till)
    assert not neovim.value("require('ccdash.client').owns(vim.api.nvim_get_current_buf())")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("{ lenses = true }", "there is no option 'lenses'; there are cmd, filetypes, lens, hints, keymaps"),
        ("{ cmd = 'ccdash lsp' }", "'cmd' must be a list of strings"),
        ("{ filetypes = 'python' }", "'filetypes' must be a list of strings"),
        ("{ hints = 1 }", "'hints' must be true or false"),
        ("{ keymaps = true }", "'keymaps' must be a table"),
        ("{ keymaps = { sesions = 's' } }", "'keymaps' has keys for blame, hover, run_lens, search, sessions, "),
    ],
)
def test_wrong_options_are_named(start: Start, options: str, told: str) -> None:
    neovim = start(setup=f"require('ccdash').setup({options})")
    (note,) = neovim.notes()
    assert told in note
    assert note.endswith("see :help ccdash-options")
