"""The generated files say what the code says, and what they say is true of real messages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from ccdashd.protocol import describe, methods, reference, schema
from ccdashd.protocol import types as t
from tests.protocol.samples import MESSAGES, RESULTS

PAGE = schema.ROOT / "docs/protocol.md"
TYPES = schema.ROOT / "clients/types/protocol.d.ts"


def test_the_generated_files_are_up_to_date() -> None:
    assert schema.differing() == [], "run `make docs`"


def test_check_fails_on_drift_and_writing_repairs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (schema.TEMPLATE, *schema.outputs()):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(schema.ROOT / path, tmp_path / path)
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    drifted = tmp_path / "docs/protocol.md"
    drifted.write_text(drifted.read_text() + "edited\n")

    assert schema.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/protocol.md: out of date, run `make docs`\n"
    assert drifted.read_text().endswith("edited\n"), "--check writes nothing"
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0
    assert not drifted.read_text().endswith("edited\n")


def test_outside_a_checkout_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    assert schema.main([]) == 2
    assert "checkout" in capsys.readouterr().err


# --- the reference page -----------------------------------------------------------------------------------------------


def test_the_page_has_every_method_notification_error_and_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (*methods.METHODS, *methods.NOTIFICATIONS):
        assert f"\n### {name}\n" in page
    for error in describe.error_list():
        assert f"| `{error.code}` | {error.name} |" in page
    for struct in describe.structs():
        for field in describe.shape(struct).fields:
            assert f"| `{field.name}` |" in page, f"{struct.__name__}.{field.name}"


def test_every_lane_is_explained() -> None:
    assert set(reference.LANES) == {method.lane for method in methods.METHODS.values()}


def test_every_link_within_the_docs_leads_somewhere() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    anchors = [re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings]
    assert len(anchors) == len(set(anchors)), "two headings share an anchor"
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (PAGE.parent / target).is_file(), target


def test_the_examples_are_valid_messages() -> None:
    page = PAGE.read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)]
    assert len(examples) >= 3
    for example in examples:
        if example["method"] in methods.METHODS:
            msgspec.convert(example["params"], methods.METHODS[example["method"]].params)
        else:
            assert example["method"] == "$/cancelRequest"


def test_the_frame_example_counts_its_bytes() -> None:
    found = re.search(r"Content-Length: (\d+)\\r\\n\n\\r\\n\n(\{.*\})\n", PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert int(found[1]) == len(found[2].encode())


# --- JSON Schema ------------------------------------------------------------------------------------------------------

SCHEMA: dict[str, Any] = json.loads((schema.ROOT / "docs/protocol.schema.json").read_text(encoding="utf-8"))


def validator(part: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]})


def encoded(message: t.Wire) -> Any:
    return json.loads(msgspec.json.encode(message))


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_there_is_a_sample_of_everything() -> None:
    assert set(RESULTS) == set(methods.METHODS)
    assert set(MESSAGES) == set(methods.NOTIFICATIONS)


@pytest.mark.parametrize("name", methods.METHODS)
def test_an_answer_is_valid(name: str) -> None:
    answer = encoded(RESULTS[name])
    check = validator(SCHEMA["methods"][name]["result"])
    check.validate(answer)
    for field in answer:
        missing = {key: value for key, value in answer.items() if key != field}
        assert not check.is_valid(missing), f"{field} is always sent"


@pytest.mark.parametrize("name", methods.NOTIFICATIONS)
def test_a_notification_is_valid(name: str) -> None:
    check = validator(SCHEMA["notifications"][name]["params"])
    check.validate(encoded(MESSAGES[name]))
    assert not check.is_valid({})


@pytest.mark.parametrize("name", methods.METHODS)
def test_parameters_hold_required_ones_and_no_unknown_ones(name: str) -> None:
    check = validator(SCHEMA["methods"][name]["params"])
    required = [field.name for field in describe.shape(methods.METHODS[name].params).fields if field.required]
    assert check.is_valid({}) == (not required)
    assert not check.is_valid({"noSuchParameter": 1})


# --- TypeScript -------------------------------------------------------------------------------------------------------

TSC = shutil.which("tsc")


def compiled(source: str, folder: Path) -> str:
    """What the TypeScript compiler has to say about `source` beside the types; empty when all is well."""
    assert TSC is not None
    shutil.copy(TYPES, folder / TYPES.name)
    (folder / "client.ts").write_text(source, encoding="utf-8")
    command = [TSC, "--noEmit", "--strict", "--target", "es2022", "client.ts"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.skipif(TSC is None, reason="no TypeScript compiler: npm install -g typescript")
def test_answers_have_their_typescript_types(tmp_path: Path) -> None:
    lines = ['import type { Methods, Notifications, Request } from "./protocol";']
    for name, answer in RESULTS.items():
        lines.append(f'export const _{len(lines)}: Methods["{name}"]["result"] = {json.dumps(encoded(answer))};')
    for name, message in MESSAGES.items():
        lines.append(f'export const _{len(lines)}: Notifications["{name}"] = {json.dumps(encoded(message))};')
    lines += [
        'export const status: Request = { jsonrpc: "2.0", id: 1, method: "ccdash/status" };',
        'export const list: Request = { jsonrpc: "2.0", id: 2, method: "sessions/list", params: { order: "asc" } };',
    ]
    assert compiled("\n".join(lines), tmp_path) == ""


@pytest.mark.skipif(TSC is None, reason="no TypeScript compiler: npm install -g typescript")
def test_wrong_requests_do_not_compile(tmp_path: Path) -> None:
    wrong = {
        "sessions/got": '{ jsonrpc: "2.0", id: 1, method: "sessions/got" }',
        "params": '{ jsonrpc: "2.0", id: 1, method: "sessions/get" }',
        "limitt": '{ jsonrpc: "2.0", id: 1, method: "sessions/list", params: { limitt: 1 } }',
        "age": '{ jsonrpc: "2.0", id: 1, method: "sessions/list", params: { sort: "age" } }',
    }
    lines = ['import type { Methods, Request } from "./protocol";']
    names = ["keyof Methods", '"sessions/get"', '"sessions/list"', '"sessions/list"']
    lines += [
        f"export const _{i}: Request<{name}> = {request};"
        for i, (name, request) in enumerate(zip(names, wrong.values(), strict=True))
    ]
    errors = compiled("\n".join(lines), tmp_path)
    complaints = re.findall(r"^client\.ts\((\d+),.*error TS", errors, flags=re.MULTILINE)
    assert complaints == ["2", "3", "4", "5"], errors
    for part in wrong:
        assert part in errors
