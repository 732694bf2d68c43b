"""Completion scripts are what the shells take."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from ccdash.parser import COMMANDS
from tests.cli.conftest import Done

Run = Callable[..., Done]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish"])
def test_a_script_knows_commands_and_options(run: Run, shell: str) -> None:
    done = run("completion", shell)
    assert (done.code, done.err) == (0, "")
    for command in COMMANDS:
        assert command.name in done.out
    assert "subagents" in done.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["ccdash", "ses"], {"sessions"}),
        (["ccdash", "sessions", "--so"], {"--sort"}),
        (["ccdash", "sessions", "--sort", "to"], {"tokens"}),
        (["ccdash", "projects", "un"], {"unhide"}),
        (["ccdash", "cost", "--by", "mo"], {"month", "model"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bash_completes(run: Run, typed: list[str], offered: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    script = run("completion", "bash").out
    words = " ".join(typed)
    ask = f'COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _shtab_ccdash; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run([bash, "--norc", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == offered


def test_options_that_take_files_complete_them(run: Run) -> None:
    fish = run("completion", "fish").out.splitlines()
    assert any("seen_subcommand_from cost" in line and "-l parquet -r -F" in line for line in fish)
    assert "_shtab_ccdash_cost___parquet_COMPGEN=_shtab_compgen_files" in run("completion", "bash").out


def test_an_unknown_shell_is_refused(run: Run) -> None:
    assert run("completion", "cmd").code == 2
