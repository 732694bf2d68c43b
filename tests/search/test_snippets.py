from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ccdashd.search.snippets import ELLIPSIS, Match, snippet


def shown(text: str, looked_for: str, size: int = 60) -> str:
    """The snippet with its matches in brackets; words of `looked_for` are terms."""
    matches = [
        Match(found.start(), found.end(), number)
        for number, word in enumerate(looked_for.split())
        for found in re.finditer(word, text)
    ]
    return "".join(f"[{part.text}]" if part.match else part.text for part in snippet(text, matches, size))


def test_a_short_text_is_shown_whole() -> None:
    assert shown("the lock is held", "lock") == "the [lock] is held"
    assert shown("lock", "lock") == "[lock]"
    assert shown("nothing of it", "lock") == "nothing of it"
    assert shown("", "lock") == ""


def test_white_space_and_controls_become_one_space() -> None:
    assert shown("a\n\n  lock\t\x00\x1b held\n", "lock held") == "a [lock] [held] "


def test_neighbouring_matches_are_one() -> None:
    parts = snippet("検索機能", [Match(0, 1, 0), Match(1, 2, 0)], 60)
    assert [(part.text, part.match) for part in parts] == [("検索", True), ("機能", False)]


def test_a_long_text_is_cut_between_words() -> None:
    text = "one two three four five six seven eight nine ten eleven lock twelve thirteen fourteen fifteen sixteen seventeen"
    assert shown(text, "lock") == "…nine ten eleven [lock] twelve thirteen fourteen fifteen…"
    assert shown(text, "one") == "[one] two three four five six seven eight nine ten eleven lock…"
    assert shown(text, "seventeen") == "…lock twelve thirteen fourteen fifteen sixteen [seventeen]"
    assert shown(text, "absent") == "one two three four five six seven eight nine ten eleven lock…"


def test_terms_far_from_each_other_are_shown_in_pieces() -> None:
    far = " x" * 200
    assert shown(f"alpha{far} beta{far} gamma", "alpha beta gamma", 150).count(ELLIPSIS) == 2
    said = shown(f"alpha{far} beta{far} gamma", "alpha beta gamma", 150)
    assert all(f"[{word}]" in said for word in ("alpha", "beta", "gamma"))
    # There is no room for two pieces.
    assert "[beta]" not in shown(f"alpha{far} beta", "alpha beta", 60)


@given(
    st.text(st.sampled_from("ab cd\n検é\0"), max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 20), st.integers(0, 4)), max_size=8),
    st.integers(40, 200),
)
def test_a_snippet_is_of_its_text_and_never_much_longer_than_asked(
    text: str, places: list[tuple[int, int, int]], size: int
) -> None:
    matches = [Match(start, start + length, term) for start, length, term in places if start + length <= len(text)]
    parts = snippet(text, matches, size)
    said = "".join(part.text for part in parts)
    assert len(said) <= size + 3 * (20 + len(ELLIPSIS)) + len(ELLIPSIS)
    plain = re.sub(r"[\s\0]+", " ", text)
    for piece in said.split(ELLIPSIS):
        assert piece in plain or piece.strip() in plain
    assert all(part.text for part in parts)
    assert all(first.match != second.match for first, second in pairwise(parts))
    if matches and text[min(matches).start : min(matches).end].strip(" \n\0"):
        assert any(part.match for part in parts)
