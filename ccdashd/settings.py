"""Every setting of the daemon: name, default, help; and where a value comes from.

Later wins: the default, ``config.toml``, the variable ``CCDASH_<NAME>``, then ``ccdashd serve --set name=value``.
Settings are read once, when the daemon starts.
"""

from __future__ import annotations

import math
import os
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ccdashd.paths import Paths
from ccdashd.validation import explain, value_at

MiB = 1024 * 1024

WatchMode = Literal["auto", "inotify", "watchfiles", "polling", "off"]
LogLevel = Literal["debug", "info", "warning", "error"]


class SettingsError(ValueError):
    """A setting is unknown or its value is wrong. The message names the source, the key and what is wrong."""


WEEK_START = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):(00|15|30|45)")
"""A day of the week and a quarter of an hour, as `week_start` has them."""

Dollars = Annotated[float, Meta(ge=0, le=1_000_000)]
"""US dollars per million tokens, to at most six decimals."""


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """What the user says that a model costs, in US dollars per million tokens."""

    input: Dollars
    output: Dollars
    cache_read: Dollars | None = None
    """None: as `input`."""
    cache_write_5m: Dollars | None = None
    """None: as `input`."""
    cache_write_1h: Dollars | None = None
    """None: as `cache_write_5m`."""
    since: date | None = None
    """The first day, in UTC; None: always. Before it the price table counts."""

    def __post_init__(self) -> None:
        for name in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h"):
            price = getattr(self, name)
            if price is not None and round(price, 6) != price:
                raise ValueError(f"{name} must be a number with at most six decimals")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one daemon. Made by `load`, which fills in the defaults that depend on the machine."""

    claude_dirs: Annotated[tuple[Path, ...], Meta(description="Folders with Claude Code logs.")] = ()
    planning: Annotated[bool, Meta(description="Read planning files (Markdown) of projects.")] = True
    planning_folders: Annotated[
        tuple[str, ...],
        Meta(
            description="Folders at the top of a project whose Markdown files, at any depth, are planning files; "
            "those at the top itself always are."
        ),
    ] = (".claude", ".specify", "docs", "openspec", "planning", "plans", "project_plans", "specs")
    planning_file_cap_bytes: Annotated[int, Meta(ge=4096, description="Larger planning files are named, not read.")] = (
        4 * MiB
    )
    planning_files_cap: Annotated[
        int, Meta(ge=1, description="Most planning files of one project that are read; a problem is reported beyond it.")
    ] = 20_000
    idle_exit_minutes: Annotated[
        float, Meta(ge=0, description="An auto-started daemon exits after this time without clients; 0: never.")
    ] = 30.0
    frame_cap_bytes: Annotated[int, Meta(ge=4096, description="Largest message that a client may send.")] = 64 * MiB
    reconcile_seconds: Annotated[float, Meta(ge=1, description="Time between two scans of all log folders.")] = 300.0
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes that parse big backlogs.")] = 1
    watch: Annotated[WatchMode, Meta(description="How changes of logs are noticed.")] = "auto"
    log_level: Annotated[LogLevel, Meta(description="The least severe messages to log.")] = "info"
    text_cap_bytes: Annotated[
        int, Meta(ge=256, description="Text of one entry kept in the cache; the rest is read from the log on demand.")
    ] = 16384
    text_index: Annotated[bool, Meta(description="Keep an index of all texts, for search.")] = True
    text_index_cap_bytes: Annotated[
        int, Meta(ge=4096, description="Text of one entry that is indexed whole; of a longer one, its head and tail.")
    ] = 256 * 1024
    archive: Annotated[bool, Meta(description="Keep copies of logs, which agents delete after a while.")] = True
    archive_quiet_seconds: Annotated[
        float, Meta(ge=0, description="Time without a change after which a log is copied into the archive.")
    ] = 300.0
    archive_max_bytes: Annotated[
        int, Meta(ge=0, description="Bytes on disk from which on nothing more is copied into the archive; 0: no limit.")
    ] = 0
    archive_max_age_days: Annotated[
        int, Meta(ge=0, description="Logs that have not changed for so many days are not copied any more; 0: no limit.")
    ] = 0
    archive_exclude: Annotated[
        tuple[str, ...],
        Meta(description="Folders of projects whose logs are not copied; * and ? are wildcards, also across folders."),
    ] = ()
    sql_time_limit_seconds: Annotated[
        float, Meta(gt=0, description="Longest time that one heavy query (doctor, verify) may take.")
    ] = 60.0
    subscriber_backlog: Annotated[
        int,
        Meta(ge=16384, description="Bytes that may wait for a client that does not read, before it misses changes."),
    ] = MiB
    metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of http://127.0.0.1:<port>/metrics, for Prometheus; 0: none.")
    ] = 0
    metrics_file: Annotated[
        Path | None,
        Meta(
            description="File (*.prom) that metrics are written to every minute, for the textfile collector of node "
            "exporter; every user of the machine may read it."
        ),
    ] = None
    time_zone: Annotated[
        str, Meta(description="Time zone of days, weeks and months, such as Europe/Berlin; empty: the machine's.")
    ] = ""
    week_start: Annotated[
        str, Meta(description='When the weekly limits of agents begin anew: day and local time, such as "thu 09:00".')
    ] = "mon 00:00"
    alerts: Annotated[bool, Meta(description="Evaluate alert rules.")] = True
    alert_command: Annotated[
        tuple[str, ...],
        Meta(
            description="Command that is run, without a shell, for alerts whose rule says so, with the alert as JSON on "
            "standard input: a list of arguments, or one text with them; empty: none."
        ),
    ] = ()
    prices: Annotated[
        dict[str, ModelPrice], Meta(description="What models cost, by id, where the price table is wrong or silent.")
    ] = {}


@dataclass(frozen=True)
class Setting:
    """One row of the reference: `type` is what `msgspec.convert` takes, `default` is shown where it can be computed."""

    name: str
    default: Any
    help: str
    type: Any

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"CCDASH_{self.name.upper()}"


def _row(field: msgspec.structs.FieldInfo) -> Setting:
    meta = next(part for part in typing.get_args(field.type) if isinstance(part, Meta))
    shown = {
        "claude_dirs": "~/.claude/projects, ~/.config/claude/projects",
        "workers": "CPUs, at most 4",
        "metrics_file": "none",
        "alert_command": "none",
        "archive_exclude": "none",
        "prices": "none",
    }
    factory = field.default_factory
    default = field.default if factory is msgspec.NODEFAULT else factory()
    return Setting(field.name, shown.get(field.name, default), meta.description or "", field.type)


SETTINGS: tuple[Setting, ...] = tuple(_row(field) for field in msgspec.structs.fields(Settings))
"""Every setting, in the order of the reference page."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def load(paths: Paths, overrides: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `paths`' profile.

    `overrides` are the pairs of ``--set``. Raises `SettingsError`. Unknown ``CCDASH_*`` variables are left alone: clients
    have their own.
    """
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {"claude_dirs": _default_claude_dirs(env), "workers": min(os.cpu_count() or 1, 4)}
    for key, value in _read_toml(paths.config_file).items():
        values[key] = _convert(str(paths.config_file), key, value, env)
    for setting in SETTINGS:
        if setting.variable in env:
            values[setting.name] = _convert(setting.variable, setting.name, env[setting.variable], env)
    for key, text in (overrides or {}).items():
        values[key] = _convert("--set", key, text, env)
    return Settings(**values)


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error


def _convert(source: str, key: str, value: Any, environ: Mapping[str, str]) -> Any:
    setting = _BY_NAME.get(key)
    if setting is None:
        raise SettingsError(f"{source}: {key}: is no setting; there are {', '.join(sorted(_BY_NAME))}")
    if key == "prices":
        return _prices(source, value)
    text = isinstance(value, str)
    if text and key in ("claude_dirs", "planning_folders", "archive_exclude"):
        value = [part for part in value.split(os.pathsep) if part]
    if text and key == "alert_command":
        value = _arguments(source, value)

    def folder(kind: type, given: Any) -> Path:
        return _folder(given, environ)

    try:
        result = msgspec.convert(value, type=setting.type, strict=not text, dec_hook=folder)
    except msgspec.ValidationError as error:
        field, problem = explain(error)
        choices = typing.get_args(typing.get_args(setting.type)[0])
        if problem.startswith("invalid enum value"):
            problem = f"must be one of {', '.join(choices)}"
        raise SettingsError(f"{source}: {key}{field}: {problem} (given: {value!r})") from error
    problem = _problem(key, result)
    if problem:
        raise SettingsError(f"{source}: {key}: {problem} (given: {value!r})")
    return result


def _arguments(source: str, text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise SettingsError(f"{source}: alert_command: {error} (given: {text!r})") from error


def _problem(key: str, value: Any) -> str:
    """What types cannot say of a value; empty where it is right."""
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if key == "week_start" and not WEEK_START.fullmatch(value):
        return 'must be a day (mon, tue, wed, thu, fri, sat, sun) and a quarter of an hour, such as "mon 09:00"'
    if key == "metrics_file" and value is not None and value.suffix != ".prom":
        return "must end in .prom, as the collector looks for no other files"
    if key == "alert_command" and value and not value[0]:
        return "must name a program first"
    if key == "time_zone" and value:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            return "is no time zone that this machine knows; give an IANA name, such as Europe/Berlin"
    return ""


def _prices(source: str, given: Any) -> dict[str, ModelPrice]:
    if not isinstance(given, dict):
        hint = 'must be tables of config.toml, such as [prices."model-id"]'
        raise SettingsError(f"{source}: prices: {hint} (given: {given!r})")
    prices: dict[str, ModelPrice] = {}
    for model, price in given.items():
        try:
            prices[model] = msgspec.convert(price, ModelPrice)
        except msgspec.ValidationError as error:
            field, problem = explain(error)
            place = f'prices."{model}"' + (f".{field}" if field else "")
            raise SettingsError(f"{source}: {place}: {problem} (given: {value_at(price, field)!r})") from error
    return prices


def _folder(given: Any, environ: Mapping[str, str]) -> Path:
    if not isinstance(given, str):
        raise ValueError("must be text")
    if given == "~" or given.startswith("~/"):
        given = environ.get("HOME", str(Path.home())) + given[1:]
    if not os.path.isabs(given):
        raise ValueError("must be an absolute path, or start with ~/")
    return Path(given)


def _default_claude_dirs(environ: Mapping[str, str]) -> tuple[Path, ...]:
    # https://docs.anthropic.com/en/docs/claude-code/settings#environment-variables
    own = environ.get("CLAUDE_CONFIG_DIR")
    if own:
        return (Path(own).absolute() / "projects",)
    home = Path(environ.get("HOME") or Path.home())
    return (home / ".claude" / "projects", home / ".config" / "claude" / "projects")
