"""Answers that are kept: right revision, not too old, not too many."""

from __future__ import annotations

from ccdashd.rpc import answers
from ccdashd.rpc.answers import Answers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_kept_for_its_revision_and_parameters_only() -> None:
    kept = Answers(Clock())
    kept.put("m", b"{}", 3, b"three")
    assert kept.get("m", b"{}", 3) == b"three"
    assert kept.get("m", b'{"a":1}', 3) is None
    assert kept.get("other", b"{}", 3) is None
    assert kept.get("m", b"{}", 4) is None
    assert kept.get("m", b"{}", 3) is None, "an outdated answer is dropped"
    assert kept.size == 0


def test_an_answer_grows_old() -> None:
    clock = Clock()
    kept = Answers(clock)
    kept.put("m", b"{}", 1, b"x")
    clock.now = answers.MAX_AGE
    assert kept.get("m", b"{}", 1) == b"x"
    clock.now += 0.1
    assert kept.get("m", b"{}", 1) is None


def test_the_store_is_bounded_and_drops_what_was_not_asked_for_longest() -> None:
    kept = Answers(Clock())
    size = answers.MAX_ANSWER - 1
    fitting = answers.MAX_BYTES // answers.MAX_ANSWER
    for number in range(fitting):
        kept.put("m", b"%d" % number, 1, b"x" * (size - len(b"%d" % number)))
    assert kept.get("m", b"0", 1) is not None
    kept.put("m", b"new", 1, b"x" * (size - 3))
    assert kept.size <= answers.MAX_BYTES
    assert kept.get("m", b"0", 1) is not None
    assert kept.get("m", b"new", 1) is not None
    kept.put("m", b"a", 1, b"x" * (size - 1))
    kept.put("m", b"b", 1, b"x" * (size - 1))
    assert kept.size <= answers.MAX_BYTES
    assert kept.get("m", b"1", 1) is None


def test_an_answer_that_is_too_large_is_not_kept_and_replaces_the_old_one() -> None:
    kept = Answers(Clock())
    kept.put("m", b"{}", 1, b"x")
    kept.put("m", b"{}", 1, b"x" * (answers.MAX_ANSWER + 1))
    assert kept.get("m", b"{}", 1) is None
    assert kept.size == 0
