from __future__ import annotations

from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning import yaml
from ccdashd.sources.planning.yaml import TooMuch, Value, YamlError, as_float, as_int, parse, text, texts


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(yaml, "Loader", yaml.PureLoader)
    else:
        assert pyyaml.__with_libyaml__, "this Python has no libyaml, which the daemon needs to be fast"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("12", 12),
        ("-7", -7),
        ("2.5", 2.5),
        ("4024200", 4024200),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("2025-01-31", "2025-01-31"),
        ("2025-01-31T10:00:00Z", "2025-01-31T10:00:00Z"),
        ("1234e56", "1234e56"),
        ("0012345", "0012345"),
        ("1.10", "1.10"),
        ("1-2", "1-2"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("+3", "+3"),
        ("-0", "-0"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("1e5", "1e5"),
        ("٣", "٣"),
        ("1234567890123456", "1234567890123456"),
        ("'3'", "3"),
        ('"true"', "true"),
        ("!!str 3", "3"),
        ("!!int '3'", 3),
        ("!mine 3", "3"),
        ("M1", "M1"),
    ],
)
def test_scalars_stay_what_they_are(written: str, value: Value) -> None:
    found = parse(f"key: {written}\n").value
    assert isinstance(found, dict)
    assert (found["key"], type(found["key"])) == (value, type(value))


@given(st.from_regex(r"[-+]?[0-9](?:[0-9a-fA-F._:exo-]{0,16}[0-9a-fA-F])?", fullmatch=True))
def test_what_looks_like_a_number_can_be_had_back(written: str) -> None:
    found = parse(f"- {written}\n").value
    assert isinstance(found, list)
    assert text(found[0]) == written


def test_places_of_merged_values_are_those_of_the_values() -> None:
    parsed = parse("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: *a\n  <<: [*b, *a]\n  z: 3\n")
    values = parsed.value["c"]  # type: ignore[index, call-overload]
    assert values == {"x": 2, "y": 2, "z": 3}
    found = {key: parsed.find(("c", key)) for key in ("x", "y", "z")}
    assert {key: parsed.scalar(pair[1]) for key, pair in found.items() if pair} == values
    assert parsed.find(("c", "<<")) is None


def test_places_in_a_mapping_are_found_as_fast_however_many_there_are() -> None:
    looked_at = 0

    class Counting(yaml.Yaml):
        def key(self, node: pyyaml.Node) -> str:
            nonlocal looked_at
            looked_at += 1
            return super().key(node)

    parsed = parse("tasks:\n" + "".join(f"  t{n}: {{status: done}}\n" for n in range(1000)))
    counting = Counting(parsed.text, parsed.root, {})
    looked_at = 0
    assert [counting.line_of(("tasks", f"t{n}", "status")) for n in range(1000)] == list(range(2, 1002))
    assert looked_at < 5000


def test_anchors_and_merge_keys_are_resolved() -> None:
    source = (
        "base: &b {status: todo, size: M}\nother: &o {size: L, kind: x}\none:\n  <<: [*b, *o]\n  status: done\ntwo: *b\n"
    )
    found = parse(source)
    assert found.value == {
        "base": {"status": "todo", "size": "M"},
        "other": {"size": "L", "kind": "x"},
        "one": {"size": "M", "kind": "x", "status": "done"},
        "two": {"status": "todo", "size": "M"},
    }
    assert found.line_of(("one", "status")) == 5
    assert found.line_of(("one", "kind")) == 2
    assert parse("<<: text\n").value == {"<<": "text"}


def test_of_a_key_that_is_there_twice_the_later_counts() -> None:
    found = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert found.value == {"a": 3, "b": {"c": 2}}
    assert found.duplicates == [("c", 4), ("a", 5)]
    assert found.line_of(("a",)) == 5
    assert parse("a: &a {x: 1, x: 2}\nb: *a\n").duplicates == [("x", 1)]


def test_keys_become_text() -> None:
    assert parse("1: a\n2.50: b\ntrue: c\n~: d\n'q': e\n? [x, y]\n: f\n{name}: g\n").value == {
        "1": "a",
        "2.50": "b",
        "true": "c",
        "~": "d",
        "q": "e",
        "[x, y]": "f",
        "{name}": "g",
    }


def test_places() -> None:
    found = parse("# head\na:\n  - x\n  -\n    b: 1\n    c:\n      2\nd: {e: [1,\n  2]}\n")
    places: dict[tuple[str | int, ...], int | None] = {
        (): 2,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 1): 5,
        ("a", 1, "c"): 6,
        ("d", "e"): 8,
        ("d", "e", 1): 9,
        ("d", "f"): None,
        ("a", 2): None,
        ("a", "b"): None,
        ("a", 0, "x"): None,
    }
    assert {path: found.line_of(path) for path in places} == places


def test_an_empty_text_is_nothing() -> None:
    assert parse("").value is None
    assert parse("# only a comment\n").value is None
    assert parse("").line_of(()) is None


@pytest.mark.parametrize("char", ["\0", "\x7f", "\x80", "\x85", "\u2028", "\ufeff", "\uffff", "\x1b", "\U0010fe00\0"])
def test_every_character_passes_and_none_but_newline_ends_a_line(char: str) -> None:
    found = parse(f"a: x{char}y\nb: '{char}'\n# {char}\nc{char}: 1\n")
    assert found.value == {"a": f"x{char}y", "b": char, f"c{char}": 1}
    assert found.line_of((f"c{char}",)) == 4


def test_halves_of_characters_become_the_replacement_character() -> None:
    assert parse("a: x\udcffy\n").value == {"a": "x\ufffdy"}


@pytest.mark.parametrize("written", [r'"\ud800"', r'"\U00110000"', "'x", "[", "a: b: c", "\ta: b", "*x", "a: b\n--- c"])
def test_errors_have_a_place(written: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse(written)
    assert caught.value.problem
    assert 0 <= caught.value.index <= len(written)
    assert caught.value.context_index is None or 0 <= caught.value.context_index <= len(written)


@pytest.mark.parametrize(
    "written",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "\n".join(" " * n + "a:" for n in range(100)),
        "a: &a [*a]",
        "a: &a {<<: *a}",
        "a: &a {b: {<<: *a}}",
        "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'x'}]\n" for n in range(9)),
        f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 100}]\n",
    ],
)
def test_depth_and_number_of_values_are_bounded(written: str) -> None:
    with pytest.raises(TooMuch):
        parse(written)


def test_what_is_within_the_bounds_is_read() -> None:
    deep = parse("a: " + "[" * 60 + "]" * 60).value
    assert isinstance(deep, dict)
    assert len(str(deep["a"])) == 120
    wide = parse("- x\n" * 50_000).value
    assert isinstance(wide, list)
    assert len(wide) == 50_000


@given(st.text(alphabet="ab:-[]{},'\"\\#&*!|>%@`?~<= \t\r\n\0\x85\ufeffé😀", max_size=40))
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        found = parse(written)
    except YamlError as error:
        assert 0 <= error.index <= len(written)
    else:
        for path in paths(found.value):
            line = found.line_of(path)
            assert found.root is None or (line is not None and 1 <= line <= written.count("\n") + 1)


def paths(value: Value, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, Value]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for step, item in inner for found in paths(item, (*path, step)))]


# PyYAML writes some characters as line ends, as YAML 1.1 has them.
strings = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=8)
tree = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | strings,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=12,
)


@given(tree, st.booleans(), st.booleans())
def test_what_a_writer_of_yaml_wrote_is_read(value: Any, flow: bool, unicode: bool) -> None:
    written = pyyaml.safe_dump(value, default_flow_style=flow, allow_unicode=unicode, sort_keys=False)
    assert parse(written).value == value


def test_conversions() -> None:
    assert [text(value) for value in ("x", 3, 2.5, True, None, ["x"], {"a": 1})] == ["x", "3", "2.5", "true", "", "", ""]
    assert texts(["a", 1, None, ["b"], ""]) == ["a", "1"]
    assert texts("a") == ["a"]
    assert texts(None) == []
    assert [as_int(value) for value in (3, "4", 5.0, "60%", "x", None, True, 2.5)] == [3, 4, 5, 60, None, None, None, None]
    assert [as_float(value) for value in (3, " 4.5 % ", "1e5", "nan", False)] == [3.0, 4.5, None, None, None]
