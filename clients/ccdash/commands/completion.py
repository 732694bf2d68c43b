"""``ccdash completion``: scripts that complete commands and options in a shell."""

from __future__ import annotations

import argparse

from ccdash.context import Context
from ccdash.parser import Handler

PATHS = ("path", "paths", "document", "output", "parquet")
SHELLS = ("bash", "zsh", "tcsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(context: Context) -> None:
    from ccdash.parser import build

    shell = context.args.shell
    if shell == "fish":
        script = _fish(build(whole=True))
    else:
        import shtab

        parser = build(whole=True)
        _complete_paths(parser, shtab.FILE)
        script = str(shtab.complete(parser, shell=shell))
    if context.out.as_json:
        context.out.result({"shell": shell, "script": script})
    else:
        context.out.line(script.rstrip("\n"))


def _complete_paths(parser: argparse.ArgumentParser, files: object) -> None:
    """Mark arguments that take paths, the way shtab wants it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete_paths(below, files)
        elif action.dest in PATHS:
            setattr(action, "complete", files)  # noqa: B010 - argparse does not declare it


def _fish(parser: argparse.ArgumentParser) -> str:
    """A script for fish: one ``complete`` a command and an option. shtab has no fish."""
    lines = ["complete -c ccdash -f"]
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    lines += _fish_options(parser, "__fish_use_subcommand")
    for choice in commands._choices_actions:
        lines.append(f"complete -c ccdash -n __fish_use_subcommand -a {choice.dest} -d {_quoted(choice.help or '')}")
    for name, below in commands.choices.items():
        lines += _fish_options(below, f"__fish_seen_subcommand_from {name}")
    return "\n".join(lines)


def _fish_options(parser: argparse.ArgumentParser, condition: str) -> list[str]:
    lines = []
    for action in parser._actions:
        options = [f"-l {text[2:]}" if text.startswith("--") else f"-s {text[1:]}" for text in action.option_strings]
        start = f"complete -c ccdash -n {_quoted(condition)}"
        values = " ".join(map(str, action.choices)) if action.choices else ""
        if options:
            takes = "" if action.nargs == 0 else f" -x -a {_quoted(values)}" if values else " -r"
            takes += " -F" if action.dest in PATHS else ""
            lines.append(f"{start} {' '.join(options)}{takes} -d {_quoted(action.help or '')}")
        elif values and condition != "__fish_use_subcommand":
            lines.append(f"{start} -a {_quoted(values)}")
        elif action.dest in PATHS:
            lines.append(f"{start} -F")
    return lines


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


HANDLERS = {
    "completion": Handler(
        configure,
        run,
        (
            "ccdash completion bash > ~/.local/share/bash-completion/completions/ccdash",
            "ccdash completion zsh > ~/.zfunc/_ccdash    # with ~/.zfunc in fpath",
            "ccdash completion fish > ~/.config/fish/completions/ccdash.fish",
        ),
    ),
}
