"""Prometheus' own tools, and its text format read back, for tests of metrics."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], float]
"""Values by name and labels."""

PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian package prometheus)")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian package prometheus)")


def parse(text: str) -> Samples:
    """Every sample of a text, none of which may be there twice."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, key
            found[key] = sample.value
    return found


def by(samples: Samples, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric by the values of these labels, which add up where there are more."""
    found: dict[tuple[str, ...], float] = {}
    for (sample, given), value in samples.items():
        if sample == name:
            key = tuple(dict(given)[label] for label in labels)
            found[key] = found.get(key, 0) + value
    return found


def total(samples: Samples, name: str) -> float:
    """The sum of all series of a metric; 0 where there are none."""
    return by(samples, name).get((), 0)


def counters(samples: Samples) -> Samples:
    """Those that must not fall."""
    return {key: value for key, value in samples.items() if key[0].endswith("_total")}


def assert_not_fallen(before: Samples, after: Samples) -> None:
    """That every counter is still there, at least as high."""
    assert counters(before).keys() <= counters(after).keys()
    fallen = {key: (value, after[key]) for key, value in counters(before).items() if after[key] < value}
    assert not fallen


def complaints(text: str) -> str:
    """What ``promtool check metrics`` says against a text; empty where it is content."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    return said or (f"exit code {done.returncode}" if done.returncode else "")
