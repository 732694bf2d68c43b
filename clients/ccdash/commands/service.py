"""``ccdash service``: let systemd, or launchd on macOS, own the daemon."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from ccdash.autostart import probe, wait_stopped
from ccdash.context import Context
from ccdash.errors import Error
from ccdash.parser import Handler, shared
from ccdash.service import Manager, here, run
from ccdash.text import clean_lines
from ccdashd.paths import DEFAULT_PROFILE


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    actions.add_parser("install", help="write the units and start to listen")
    actions.add_parser("uninstall", help="stop, and remove the units")
    actions.add_parser("status", help="say whether the units are installed, enabled and active")
    for below in actions.choices.values():
        shared(below)


def run_service(context: Context) -> None:
    if context.paths.profile != DEFAULT_PROFILE:
        raise Error(f"The service serves the profile {DEFAULT_PROFILE!r} only. Leave --profile and CCDASH_PROFILE out.")
    {"install": _install, "uninstall": _uninstall, "status": _status}[context.args.action](context, here())


def _install(context: Context, manager: Manager) -> None:
    written = [str(path) for path in manager.install(context.paths.log_file)]
    usable = manager.usable()
    if usable:
        _stop_own(context)
        _run_all(manager.enable)
    if context.out.as_json:
        context.out.result({"files": written, "enabled": usable})
        return
    for path in written:
        context.out.line(f"wrote {path}")
    if usable:
        context.out.line("Enabled and started. `ccdash service status` shows how it is.")
    else:
        context.out.line("No service manager of yours answers here. Where one does, run:")
        _tell(context, manager.enable)


def _uninstall(context: Context, manager: Manager) -> None:
    there = any(path.exists() for path in manager.files())
    usable = manager.usable()
    if there and usable:
        _run_all(manager.disable)
    removed = [str(path) for path in manager.uninstall()]
    if removed and usable:
        _run_all(manager.enable[:-1])
    if context.out.as_json:
        context.out.result({"removed": removed})
        return
    for path in removed:
        context.out.line(f"removed {path}")
    if not removed:
        context.out.line("The service is not installed.")


def _status(context: Context, manager: Manager) -> None:
    files = {str(path): path.exists() for path in manager.files()}
    states = manager.states() if manager.usable() else {}
    if context.out.as_json:
        context.out.result({"files": files, "states": states})
        return
    for path, exists in files.items():
        context.out.line(f"{path}: {'installed' if exists else 'not installed'}")
    for name, state in states.items():
        context.out.line(f"{name}: {state}")
    if not states:
        context.out.line("No service manager of yours answers here, so nothing is known of the units' state.")


def _stop_own(context: Context) -> None:
    """Stop a daemon that a client started: it holds the lock that the service's daemon needs."""
    client = probe(context.paths, 5.0)
    if client is not None:
        client.request("ccdash/shutdown")
        if not wait_stopped(client, context.paths):
            raise Error("The running daemon does not stop. Run `ccdash stop`, then `ccdash service install` again.")


def _run_all(commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        done = run(*command)
        if done.returncode != 0:
            said = clean_lines(done.stderr.strip() or done.stdout.strip())
            raise Error(f"`{shlex.join(command)}` failed: {said}. The units are written; repair that and run it again.")


def _tell(context: Context, commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        context.out.line(f"  {shlex.join(command)}")


HANDLERS = {
    "service": Handler(
        configure,
        run_service,
        ("ccdash service install", "ccdash service status", "ccdash service uninstall"),
    ),
}
