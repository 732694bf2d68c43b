"""Settings: where a value comes from, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from ccdashd.paths import Paths, resolve
from ccdashd.settings import SETTINGS, ModelPrice, Settings, SettingsError, load


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return resolve(environ={"HOME": str(tmp_path)})


def configure(paths: Paths, text: str) -> None:
    paths.config_dir.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text(text)


def test_defaults(paths: Paths, tmp_path: Path) -> None:
    settings = load(paths, environ={"HOME": str(tmp_path)})
    assert settings.claude_dirs == (tmp_path / ".claude/projects", tmp_path / ".config/claude/projects")
    assert settings.idle_exit_minutes == 30
    assert settings.frame_cap_bytes == 64 * 1024 * 1024
    assert 1 <= settings.workers <= 4


def test_the_default_folder_follows_claude_config_dir(paths: Paths) -> None:
    assert load(paths, environ={"HOME": "/h", "CLAUDE_CONFIG_DIR": "/c"}).claude_dirs == (Path("/c/projects"),)


def test_later_sources_win(paths: Paths) -> None:
    configure(paths, 'workers = 1\nwatch = "polling"\nlog_level = "error"\nclaude_dirs = ["~/logs", "/other"]\n')
    environ = {"HOME": "/h", "CCDASH_WATCH": "off", "CCDASH_LOG_LEVEL": "warning", "CCDASH_RUNTIME_DIR": "/r"}
    settings = load(paths, {"log_level": "debug", "reconcile_seconds": "1.5"}, environ)
    assert (settings.workers, settings.watch, settings.log_level) == (1, "off", "debug")
    assert settings.reconcile_seconds == 1.5
    assert settings.claude_dirs == (Path("/h/logs"), Path("/other"))
    assert load(paths, {"claude_dirs": "/a:~/b"}, environ).claude_dirs == (Path("/a"), Path("/h/b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wrokers = 1", ["wrokers", "no setting", "workers"]),
        ('workers = "1.5"', ["workers", "whole number"]),
        ("workers = 0", ["workers", "at least 1", "0"]),
        ("workers = true", ["workers", "whole number"]),
        ('watch = "sometimes"', ["watch", "must be one of auto, inotify", "sometimes"]),
        ('claude_dirs = ["logs"]', ["claude_dirs[0]", "absolute"]),
        ("claude_dirs = [1]", ["claude_dirs[0]", "text"]),
        ("idle_exit_minutes = inf", ["idle_exit_minutes", "finite"]),
        ("frame_cap_bytes = 10", ["frame_cap_bytes", "at least 4096"]),
        ("[workers]", ["workers", "whole number"]),
        ("workers = ", ["is not TOML"]),
        ('week_start = "monday"', ["week_start", "mon 09:00", "monday"]),
        ('week_start = "mon 24:00"', ["week_start", "quarter of an hour"]),
        ('week_start = "mon 09:10"', ["week_start", "quarter of an hour"]),
        ('time_zone = "Europe/Atlantis"', ["time_zone", "IANA", "Atlantis"]),
        ('time_zone = "../etc/passwd"', ["time_zone", "IANA"]),
        ("alert_command = 3", ["alert_command", "must be a list", "3"]),
        ("alert_command = [3]", ["alert_command[0]", "must be text"]),
        ("""alert_command = "it's" """, ["alert_command", "No closing quotation", "it's"]),
        ('alert_command = ["", "x"]', ["alert_command", "must name a program first"]),
        ('alerts = "yes please"', ["alerts", "true or false"]),
        ("metrics_port = 65536", ["metrics_port", "at most 65535"]),
        ('metrics_file = "ccdash.prom"', ["metrics_file", "absolute", "ccdash.prom"]),
        ('metrics_file = "~/metrics.txt"', ["metrics_file", "must end in .prom"]),
        ("prices = 3", ["prices", "tables", "model-id", "3"]),
        ("prices.m = 3", ['prices."m"', "must be an object", "3"]),
        ("[prices.m]\ninput = 3", ['prices."m".output', "is missing"]),
        ('[prices."m-1.5"]\ninput = -1\noutput = 3', ['prices."m-1.5".input', "at least 0", "-1"]),
        ("[prices.m]\ninput = inf\noutput = 3", ['prices."m".input', "at most 1000000", "inf"]),
        ("[prices.m]\ninput = nan\noutput = 3", ['prices."m".input', "at least 0", "nan"]),
        ("[prices.m]\ninput = 0.0000001\noutput = 3", ['prices."m"', "input", "six decimals", "1e-07"]),
        ('[prices.m]\ninput = "3"\noutput = 3', ['prices."m".input', "must be a number"]),
        ("[prices.m]\ninput = 3\noutput = 3\ncache = 1", ['prices."m".cache', "is not known here"]),
        ("[prices.m]\ninput = 3\noutput = 3\nfrom = 2026", ['prices."m".from', "date"]),
    ],
)
def test_a_wrong_file_is_named_with_key_and_problem(paths: Paths, text: str, said: list[str]) -> None:
    configure(paths, text)
    with pytest.raises(SettingsError) as caught:
        load(paths, environ={"HOME": "/h"})
    for part in [str(paths.config_file), *said]:
        assert part in str(caught.value)


def test_a_command_is_a_list_or_a_text(paths: Paths) -> None:
    configure(paths, "alert_command = ['~/bin/tell me', '$HOME', '']\nalerts = false")
    settings = load(paths, environ={"HOME": "/h"})
    assert (settings.alert_command, settings.alerts) == (("~/bin/tell me", "$HOME", ""), False)
    given = load(paths, {"alert_command": "'tell me' --loud \\$x"}, {"HOME": "/h", "CCDASH_ALERTS": "true"})
    assert (given.alert_command, given.alerts) == (("tell me", "--loud", "$x"), True)
    assert load(paths, environ={"HOME": "/h", "CCDASH_ALERT_COMMAND": ""}).alert_command == ()


def test_prices_of_models(paths: Paths) -> None:
    table = "input = 3\noutput = 15.5\ncache_read = 0.3\ncache_write_1h = 0\nfrom = 2026-01-01"
    configure(paths, f'[prices."us.m-1.5:0"]\n{table}\n[prices.free]\ninput = 0\noutput = 0\n')
    assert load(paths, environ={"HOME": "/h"}).prices == {
        "us.m-1.5:0": ModelPrice(input=3, output=15.5, cache_read=0.3, cache_write_1h=0, since=date(2026, 1, 1)),
        "free": ModelPrice(input=0, output=0),
    }


def test_wrong_variables_and_overrides_are_named(paths: Paths) -> None:
    with pytest.raises(SettingsError, match="CCDASH_WORKERS: workers: must be a whole number"):
        load(paths, environ={"HOME": "/h", "CCDASH_WORKERS": "many"})
    with pytest.raises(SettingsError, match="CCDASH_PRICES: prices: must be tables"):
        load(paths, environ={"HOME": "/h", "CCDASH_PRICES": "{}"})
    with pytest.raises(SettingsError, match="--set: nope: is no setting"):
        load(paths, {"nope": "1"}, {"HOME": "/h"})


def test_an_unreadable_file_is_an_error(paths: Paths) -> None:
    paths.config_file.mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        load(paths, environ={"HOME": "/h"})


def test_every_setting_has_help_a_default_and_a_variable() -> None:
    assert [setting.name for setting in SETTINGS] == list(Settings.__struct_fields__)
    for setting in SETTINGS:
        assert setting.help.endswith(".")
        assert setting.default not in (None, ())
        assert setting.variable == f"CCDASH_{setting.name.upper()}"


def test_importing_the_settings_is_cheap() -> None:
    heavy = "{'asyncio', 'sqlalchemy', 'logging', 'subprocess'}"
    code = f"import sys, ccdashd.settings; sys.exit(', '.join({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr == "\n"
