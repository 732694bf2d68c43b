"""The connection of a real Neovim: what is said when it cannot be had, is lost, and comes again; help and health."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.conftest import PAGE, Start, snippets
from tests.editors.neovim import PLUGIN, Neovim
from tests.editors.world import SECOND_PROMPT, World
from tests.helpers import Daemon, wait_until

CURRENT = "require('ccdash.client').current()"


@pytest.fixture
def own(world: World, short_folder: Path) -> Iterator[Daemon]:
    """A daemon of its own, which a test may kill."""
    daemon = Daemon(short_folder)
    yield daemon.start()
    daemon.close()


def environ(daemon: Daemon, world: World) -> dict[str, str]:
    return {**daemon.environ, "PATH": world.environ["PATH"], "CCDASH_NO_SPAWN": "1"}


def lines_of(neovim: Neovim) -> str:
    return "\n".join(neovim.lines())


def test_a_missing_command_is_said_once(start: Start, world: World) -> None:
    neovim = start(world.till, environ={"PATH": "/nowhere"})
    neovim.note("there is no command 'ccdash'; install ccdash, or set `cmd`, see :help ccdash-install")
    neovim.edit(world.phase)
    neovim.command("doautocmd CursorHold")
    assert len(neovim.notes()) == 1
    neovim.command("CcdashStatus")
    assert len(neovim.notes()) == 2, "a command says it again"


def test_a_daemon_that_cannot_be_had_is_said_once(start: Start, world: World, short_folder: Path) -> None:
    neovim = start(world.till, environ={"XDG_RUNTIME_DIR": str(short_folder)})
    neovim.note("'ccdash lsp' ended with code 1; run `ccdash status` in a shell to see why")
    for _ in range(5):
        neovim.edit(world.phase)
        neovim.edit(world.till)
        neovim.until("not require('ccdash.client').starting()")
    ours = [note for note in neovim.notes() if note.startswith("ccdash:")]
    assert len(ours) == 1
    assert len(neovim.notes()) <= 4, "Neovim itself says of each try that it ended"


def test_a_killed_daemon_is_said_once_and_found_again(start: Start, world: World, own: Daemon) -> None:
    neovim = start(world.till, environ=environ(own, world))
    neovim.until(f"{CURRENT} ~= nil")
    own.kill()
    neovim.note("the connection to the daemon was lost; the next file or command begins another")
    for event in ("CursorHold", "InsertLeave", "CursorHold"):
        neovim.command(f"doautocmd {event}")
    assert neovim.value(f"{CURRENT} == nil")
    own.start()
    neovim.command("doautocmd BufEnter")
    neovim.attached()
    assert [note for note in neovim.notes() if note.startswith("ccdash:")] == neovim.notes()[:1]
    neovim.command("CcdashStatus")
    neovim.note(f"profile {own.paths.profile}")


def test_who_waits_for_an_answer_is_told_that_there_is_none(start: Start, world: World, own: Daemon) -> None:
    neovim = start(world.till, environ=environ(own, world))
    neovim.until(f"{CURRENT} ~= nil")
    own.process.send_signal(signal.SIGSTOP)
    neovim.command("CcdashStatus")
    own.kill()
    neovim.note("the connection to the daemon was lost")
    assert len(neovim.notes()) == 1


def test_leaving_is_quick_and_says_nothing(start: Start, world: World) -> None:
    neovim = start(world.till)
    assert neovim.close() == 0
    clients = wait_until(lambda: world.ask("ccdash/status")["clients"] == 1, "the end of the connection")
    assert clients


def test_status_is_one_line(start: Start, world: World) -> None:
    neovim = start()
    neovim.command("CcdashStatus")
    note = neovim.note("ccdashd ")
    assert "profile default" in note
    assert "\n" not in note


def test_health_tells_what_is_there(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command("checkhealth ccdash")
    text = lines_of(neovim)
    assert "ERROR" not in text
    assert "process" in text
    assert "1 file of this Neovim attached" in text


def test_health_tells_what_to_do_where_no_daemon_is(start: Start, world: World, short_folder: Path) -> None:
    neovim = start(environ={"XDG_RUNTIME_DIR": str(short_folder)})
    neovim.command("checkhealth ccdash")
    text = lines_of(neovim)
    assert "ERROR" in text
    assert "ccdash status" in text


def test_the_page_tells_all_that_is_needed(start: Start, world: World, short_folder: Path) -> None:
    """Its commands and its settings, and nothing else, as the user puts them into his home."""
    (install,), (settings,) = snippets("sh"), snippets("lua")
    environ = {**world.environ, "HOME": str(short_folder)}
    subprocess.run(["sh", "-ec", install], cwd=PAGE.parents[1], env=environ, check=True)
    (short_folder / ".config/nvim/init.lua").write_text('vim.g.mapleader = " "\n' + settings)
    neovim = start(world.till, setup="", environ=environ, settings=True)
    neovim.seen("import sys", "2 sessions")
    neovim.keys(" cs")
    assert len(neovim.offered("Sessions that touched till.py")) == 2
    neovim.to("round(")
    neovim.keys(" ch")
    assert SECOND_PROMPT in neovim.floating()
    neovim.seen("src/till.py", "7:1")


def test_help_is_found_and_complete(start: Start, tmp_path: Path) -> None:
    shutil.copytree(PLUGIN / "doc", tmp_path / "doc", ignore=shutil.ignore_patterns("tags"))
    neovim = start()
    neovim.command(f"set runtimepath^={tmp_path}")
    neovim.command(f"helptags {tmp_path / 'doc'}")
    commands = [name for name in neovim.value("vim.tbl_keys(vim.api.nvim_get_commands({}))") if name.startswith("Ccdash")]
    assert len(commands) == 10
    options = neovim.value("vim.tbl_keys(vim.tbl_extend('keep', { filetypes = {} }, require('ccdash.config').defaults))")
    keys = neovim.value("vim.tbl_keys(require('ccdash.config').actions)")
    topics = [f":{name}" for name in commands]
    topics += [f"ccdash-option-{name}" for name in options] + [f"ccdash-key-{name}" for name in keys]
    for topic in [*topics, "ccdash", "ccdash-install", "ccdash-options"]:
        neovim.command(f"help {topic}")
        assert f"*{topic}*" in neovim.value("vim.fn.getline('.')")


def test_every_tag_that_the_help_mentions_exists(start: Start, tmp_path: Path) -> None:
    neovim = start()
    text = (PLUGIN / "doc/ccdash.txt").read_text()
    code = """
    local missing = {}
    for tag in (...):gmatch("|([^|%s]+)|") do
      local ours = (...):find("*" .. tag .. "*", 1, true)
      -- Those of Neovim are of its newest version.
      if not ours and not tag:find("^vim%.lsp") and #vim.fn.getcompletion(tag, "help") == 0 then
        table.insert(missing, tag)
      end
    end
    return missing
    """
    assert neovim.lua(code, text) == []
