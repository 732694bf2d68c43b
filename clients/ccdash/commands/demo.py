"""``ccdash demo``: generated logs and plans in a profile of their own, so that they never mix with the user's."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

from ccdash.autostart import probe, wait_stopped
from ccdash.context import Context
from ccdash.errors import Error, UsageError
from ccdash.figures import size as bytes_text
from ccdash.parser import Handler
from ccdash.progress import ProgressLine
from ccdash.spawn import DEMO_PROFILE, demo_home
from ccdashd.paths import Paths, resolve

_DEMO = f"ccdash --profile {DEMO_PROFILE}"
SIZES = {"demo": "40 sessions", "small": "40 MB", "seed": "459 sessions, 2.8 GB", "many": "4,590 sessions, 1.5 GB"}
SEED = 1
EDITION = 3
"""Of what is made: another one is made anew."""

SESSION_BYTES = 250_000
"""Average size of a session's logs where a number of sessions was asked for."""


def configure(parser: argparse.ArgumentParser) -> None:
    sizes = ", ".join(f"{name} ({text})" for name, text in SIZES.items())
    parser.add_argument("--size", metavar="SIZE", help=f"{sizes}, or a number of sessions; by default demo")
    parser.add_argument(
        "--wait", action=argparse.BooleanOptionalAction, default=True, help="return when all is indexed (so it is)"
    )
    parser.add_argument("--remove", action="store_true", help="stop the demo and delete all its data")


def run(context: Context) -> int:
    args = context.args
    if args.remove:
        paths = resolve(DEMO_PROFILE)
        _clear(paths)
        if context.out.as_json:
            context.out.result({"removed": str(demo_home(paths))})
        else:
            context.out.line("The demo is stopped and its data deleted.")
        return 0
    return show_demo(context, size=args.size, wait=args.wait)


def show_demo(context: Context, *, size: str | None = None, wait: bool = True) -> int:
    """Make demo logs where there are none (or none of that size), start the demo's daemon, and say so loudly.

    Returns the exit code: 1 where the daemon cannot read them.
    """
    from ccdash.commands.up import follow, tell

    paths = resolve(DEMO_PROFILE)
    _prepare(context, paths, size)
    with context.connect(paths=paths) as client:
        if not follow(context, client, wait=wait):
            tell(context, client)
            return 1
        if not context.out.as_json:
            context.out.line(
                context.out.paint("DEMO DATA: made-up sessions in the profile 'demo', none of them yours.", "yellow bold")
            )
        tell(context, client)
        if not context.out.as_json:
            if _work(paths).is_dir():
                context.out.line(f"Its projects have plans; one of them: `{_DEMO} feature rain-gauge`.")
            context.out.line("`ccdash demo --remove` deletes it all.")
    return 0


def _work(paths: Paths) -> Path:
    """The folder with the demo's projects, where it has some: what else can be made are logs alone."""
    return paths.data_dir / "work"


def _prepare(context: Context, paths: Paths, size: str | None) -> None:
    marker = paths.data_dir / "demo.json"
    made = _made(marker)
    if made is not None and size in (None, made):
        return
    wanted = size or "demo"
    if wanted not in SIZES and not (wanted.isdecimal() and 0 < int(wanted) <= 100_000):
        raise UsageError(f"--size {wanted!r}: use {', '.join(SIZES)}, or a number of sessions up to 100000.")
    _clear(paths)
    from ccdash.demo import PRESETS, Preset, generate_preset

    preset = PRESETS[wanted] if wanted in PRESETS else Preset(int(wanted), int(wanted) * SESSION_BYTES)
    home = demo_home(paths)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ProgressLine(context.out, "Making demo logs") as progress:

        def written(done: int, total: int) -> None:
            progress.update("Making demo logs", done, total, f"{bytes_text(done)} of {bytes_text(total)}")

        now = int(time.time() * 1000)
        generate_preset(
            home, preset, seed=SEED, faults=True, progress=written, now=now, work=_work(paths), journal=paths.journal
        )
    # Last, so that what was cut short is made anew.
    marker.write_text(json.dumps({"size": wanted, "seed": SEED, "edition": EDITION}) + "\n", encoding="utf-8")


def _made(marker: Path) -> str | None:
    """The size of the demo logs that are there, None when there are none, or not all."""
    try:
        said = json.loads(marker.read_text(encoding="utf-8"))
        return str(said["size"]) if (said["seed"], said["edition"]) == (SEED, EDITION) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _clear(paths: Paths) -> None:
    """Stop the demo's daemon and delete its logs and its cache, both in folders that only this profile has."""
    client = probe(paths, 5.0)
    if client is not None:
        if client.hello.get("profile") != DEMO_PROFILE:
            client.close()
            raise Error(f"The daemon at {paths.socket} is not the demo's. Unset CCDASH_SOCKET and try again.")
        client.request("ccdash/shutdown")
        if not wait_stopped(client, paths):
            raise Error(f"The demo's daemon (process {client.hello.get('pid')}) does not stop. See {paths.log_file}.")
    for folder in (paths.data_dir, paths.cache_dir):
        if folder.name == DEMO_PROFILE and folder.exists():
            shutil.rmtree(folder)


HANDLERS = {
    "demo": Handler(
        configure,
        run,
        (
            "ccdash demo                       # 40 sessions and plans, ready",
            "ccdash --profile demo sessions    # look at them",
            "ccdash --profile demo features    # and at what is planned",
            "ccdash --profile demo feature rain-gauge",
            "ccdash demo --size seed           # 459 sessions, 2.8 GB, without plans",
            "ccdash demo --remove",
        ),
    ),
}
