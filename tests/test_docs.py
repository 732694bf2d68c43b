"""The pages say what the code says."""

from __future__ import annotations

import json
import re
import subprocess
import typing
from pathlib import Path

import pytest

from ccdash import parser, reference
from ccdashd.paths import resolve
from ccdashd.protocol.types import Status
from ccdashd.settings import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
TROUBLESHOOTING = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_on_the_page(setting: Setting) -> None:
    default = setting.default if isinstance(setting.default, str) else json.dumps(setting.default)
    row = f"| `{setting.name}` | `{default}` | {setting.help} |"
    assert row in CONFIGURATION.splitlines(), "docs/configuration.md misses this row"


def test_no_setting_is_on_the_page_that_does_not_exist() -> None:
    table = CONFIGURATION.split("## Settings")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE) == [setting.name for setting in SETTINGS]


def test_the_folders_on_the_page_are_those_of_linux() -> None:
    paths = resolve(environ={"HOME": "/home/me", "XDG_RUNTIME_DIR": "/run/user/1000"})
    for path in (paths.socket, paths.database, paths.journal, paths.config_file, paths.log_file):
        shown = str(path).replace("/home/me", "~").replace("/run/user/1000", "$XDG_RUNTIME_DIR")
        assert f"`{shown}`" in CONFIGURATION


def test_the_page_of_the_command_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().out
    page = reference.PAGE.read_text(encoding="utf-8")
    for command in parser.COMMANDS:
        assert f"\n## ccdash {command.name}" in page


def test_the_page_of_the_command_is_checked_and_repaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "PAGE", tmp_path / "cli.md")
    assert reference.main(["--check"]) == 1
    assert not reference.PAGE.exists(), "--check writes nothing"
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not re.match(r"\w+:", target):
            assert (page.parent / target).exists(), target


def test_every_target_of_make_has_a_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony is not None
    shown = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make (\w+) ", shown, flags=re.MULTILINE) == phony[1].split()


def test_every_code_of_the_doctor_is_explained() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ccdashd").rglob("*.py")))
    severity = '"(error|warning|info)"'
    given = {
        *re.findall(rf'\.find\(\s*"([a-z0-9-]+)", {severity}', source),
        *re.findall(rf'append\(\(\s*"([a-z-]+)", {severity}, ', source),
        *re.findall(rf'code="([a-z-]+)", severity={severity}', source),
    }
    section = TROUBLESHOOTING.split("## What `doctor` says")[1].split("\n## ")[0]
    explained = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \|", section, flags=re.MULTILINE)
    assert given <= set(explained)
    assert [code for code, _ in explained] == sorted({code for code, _ in given} | _codes_of_plans())


def _codes_of_plans() -> set[str]:
    """Those of planning files, whose severity may depend: of what a reader complains, and what a repair is called."""
    planning = ROOT / "ccdashd/sources/planning"
    repairs = "".join((planning / name).read_text(encoding="utf-8") for name in ("fixes.py", "frontmatter.py"))
    readers = "".join(path.read_text(encoding="utf-8") for path in planning.glob("*.py"))
    complaints = re.findall(r'(?:_find\(document|complain\([^"\n]+), "([a-z-]+)"', readers)
    return {*re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', repairs), *complaints} - {"utf-8"}


def test_every_state_and_problem_of_the_status_is_explained() -> None:
    section = TROUBLESHOOTING.split("## What `status` says")[1].split("\n## ")[0]
    explained = set(re.findall(r"^\| `([a-z ]+)` \|", section, flags=re.MULTILINE))
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ccdashd").rglob("*.py")))
    states = set(typing.get_args(typing.get_type_hints(Status)["state"]))
    assert explained == states | set(re.findall(r'problems\.set\(\s*"([a-z ]+)"', source))
