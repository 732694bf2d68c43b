"""What is found is what a plain scan of every line finds, however text is encoded."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccdashd.errors import InvalidParams
from ccdashd.search.patterns import MOST_CHARACTERS, Found, pattern

ALPHABET = 'aAb"\\/\n\t\x01 0éÉя検\U0001f600'
words = st.text(ALPHABET, max_size=12)
wanted = st.text(ALPHABET, min_size=1, max_size=3)


def plain(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def upper(text: str) -> str:
    """As writers do that have the digits of escapes in upper case."""
    return re.sub(r"\\u[0-9a-f]{4}", lambda escape: "\\u" + escape[0][2:].upper(), json.dumps(text))


ENCODERS = (json.dumps, plain, upper)
records = st.lists(st.tuples(words, st.sampled_from(ENCODERS)), max_size=6)


def data_of(written: list[tuple[str, object]], end: str) -> bytes:
    return ("\n".join(encode(text) for text, encode in written) + end).encode()  # type: ignore[operator]


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    """Every line with its place."""
    found, begin = [], 0
    for line in data.split(b"\n"):
        found.append((begin, line))
        begin += len(line) + 1
    return found[:-1] if data.endswith(b"\n") else found


def scan(data: bytes, expression: re.Pattern[bytes]) -> list[Found]:
    """The same by hand."""
    found = []
    for begin, line in lines_of(data):
        hits = list(expression.finditer(line))
        if hits:
            found.append(Found(begin, begin + len(line), begin + hits[0].start(), begin + hits[0].end(), len(hits)))
    return found


def any_of(texts: list[str]) -> re.Pattern[bytes]:
    forms = {form.encode() for text in texts for form in (text, *(encode(text)[1:-1] for encode in ENCODERS))}
    needles = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile(b"|".join(re.escape(form) for form in needles if b"\n" not in form) or b"(?!)")


@given(records, wanted, st.sampled_from(["", "\n"]))
def test_text_is_found_in_every_encoding(written: list[tuple[str, object]], text: str, end: str) -> None:
    data = data_of(written, end)
    if data:
        assert list(pattern(text, regex=False, ignore_case=False).records(data)) == scan(data, any_of([text]))


@given(records, wanted)
@example([("É", json.dumps)], '"É')
def test_case_is_ignored_in_every_script(written: list[tuple[str, object]], text: str) -> None:
    data = data_of(written, "\n")
    cases = [{one, one.lower(), one.upper()} for one in text]
    expected = scan(data, any_of(["".join(every) for every in itertools.product(*cases)]))
    assert [found.begin for found in pattern(text, regex=False, ignore_case=True).records(data)] == [
        found.begin for found in expected
    ]


EXPRESSIONS = ["a+", "^", "$", "a|b", r"\\n", "[^a]", "(?i)A.", r"\s", "x*", '^"a', "é", ".b$"]


@given(records, st.sampled_from(EXPRESSIONS), st.booleans(), st.sampled_from(["", "\n", "\n\n"]))
def test_an_expression_is_held_to_each_record(
    written: list[tuple[str, object]], source: str, ignore_case: bool, end: str
) -> None:
    data = data_of(written, end)
    expected = re.compile(source.encode(), re.IGNORECASE if ignore_case else 0)
    if data:
        assert list(pattern(source, regex=True, ignore_case=ignore_case).records(data)) == scan(data, expected)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a(b", "missing ), unterminated subpattern at character 2"),
        ("äö[", "unterminated character set at character 3"),
        ("a**", "multiple repeat at character 3"),
        ("a{99999999999}", "the repetition number is too large"),
        ("(?u)a", "cannot use 'u' flag with a bytes pattern at character 4"),
        ("(" * 9000 + ")" * 9000, "must have at most 10,000 characters"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(source: str, problem: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        pattern(source, regex=True, ignore_case=False)
    assert caught.value.data["field"] == "pattern"
    assert problem in caught.value.message


def test_an_expression_may_be_nested_too_deeply() -> None:
    with pytest.raises(InvalidParams, match="nested too deeply"):
        pattern("(" * 4900 + ")" * 4900, regex=True, ignore_case=False)


@pytest.mark.parametrize("regex", [False, True])
def test_a_pattern_has_a_length(regex: bool) -> None:
    with pytest.raises(InvalidParams, match="pattern: must not be empty"):
        pattern("", regex=regex, ignore_case=False)
    with pytest.raises(InvalidParams, match="pattern: must have at most"):
        pattern("a" * (MOST_CHARACTERS + 1), regex=regex, ignore_case=False)


def test_a_record_is_told_once_with_the_number_of_its_matches() -> None:
    found = list(pattern("aa", regex=False, ignore_case=False).records(b'"x"\n"aaaaa aa"\n\n"aa"'))
    assert found == [Found(4, 14, 5, 7, 3), Found(16, 20, 17, 19, 1)]
