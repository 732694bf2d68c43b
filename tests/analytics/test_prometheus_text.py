"""The text: what it tells of work, how labels are bounded and named, and that Prometheus' own checker is content."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.analytics import prometheus
from ccdashd.analytics.counters import LIMITS, OTHER, Counters
from ccdashd.analytics.families import FAMILIES
from ccdashd.analytics.prometheus import Work
from ccdashd.derive.measures import Measures
from ccdashd.derive.progress_days import Figures
from ccdashd.store.exposition import ProjectName
from tests.analytics.prom import Samples, by, complaints, needs_promtool, parse, total

ODD = 'a "b" \\ {c="d"}\n\x1b[31m\udc80 € 名'
WORK = Work(
    usage={
        ("shop", "opus"): Measures(
            messages=2, input=1, output=2, cache_read=3, cache_write=9, cache_write_1h=4, cost=1_500_000_000_001
        ),
        ("till", "opus"): Measures(messages=1, cost=10**12, web_searches=3, unpriced=1, lower_bounds=1),
        ("till", ODD): Measures(messages=7, input=5, unpriced=2),
        ("", ""): Measures(messages=1),
    },
    projects={"shop": Measures(sessions=3, minutes=2, prompts=4, additions=5, deletions=6), "till": Measures(sessions=1)},
    tools={"Bash": Measures(calls=5, success=3, errors=1, tool_ms=1500), "": Measures(calls=1, success=1)},
    names={"shop": ProjectName("Shop", False), "till": ProjectName(ODD, False)},
    plans={
        "shop": Figures(counts=(1, 0, 0, 3, 0, 6, 0, 0), features=2, progress=0.75),
        "till": Figures(counts=(0, 0, 0, 0, 0, 0, 1, 0)),
    },
)


def told(counters: Counters, work: Work) -> Samples:
    """What is told of work, by a daemon whose rows are those of the files."""
    return parse(text(counters, work))


def text(counters: Counters, work: Work, *, settled: bool = True) -> str:
    counters.settle(prometheus.sums(work, counters) if settled else None, {})
    samples = dict(prometheus.told(counters.rows.values())) | prometheus.gauges(work, counters)
    return prometheus.text(prometheus.named(samples, work, counters)).decode()


@pytest.fixture
def counters(tmp_path: Path) -> Counters:
    return Counters(tmp_path / "counters.json")


def test_what_is_told_of_work(counters: Counters) -> None:
    samples = told(counters, WORK)
    odd = 'a "b" \\ {c="d"}��[31m� € 名'
    assert by(samples, "ccdash_cost_usd_total", "project", "model") == {
        ("Shop", "opus"): 1.500000000001,
        (odd, "opus"): 1,
        (odd, odd): 0,
        ("unknown", "unknown"): 0,
    }
    kinds = {"input": 1, "output": 2, "cache_read": 3, "cache_write_5m": 5, "cache_write_1h": 4}
    assert by(samples, "ccdash_tokens_total", "kind") == {(kind,): n + 5 * (kind == "input") for kind, n in kinds.items()}
    assert total(samples, "ccdash_messages_total") == 11
    assert total(samples, "ccdash_web_searches_total") == 3
    assert by(samples, "ccdash_sessions_total", "project") == {("Shop",): 3, (odd,): 1}
    assert by(samples, "ccdash_active_seconds_total", "project")["Shop",] == 120
    assert by(samples, "ccdash_lines_added_total", "project")["Shop",] == 5
    assert by(samples, "ccdash_lines_removed_total", "project")["Shop",] == 6
    assert by(samples, "ccdash_tool_calls_total", "tool", "status") == {
        ("Bash", "success"): 3,
        ("Bash", "error"): 1,
        ("unknown", "success"): 1,
        ("unknown", "error"): 0,
    }
    assert by(samples, "ccdash_tool_seconds_total", "tool")["Bash",] == 1.5
    assert by(samples, "ccdash_messages_unpriced", "model") == {("opus",): 1, (odd,): 2, ("unknown",): 0}
    assert total(samples, "ccdash_messages_lower_bound") == 1
    assert by(samples, "ccdash_tasks", "project", "status")["Shop", "deferred"] == 6
    assert by(samples, "ccdash_task_completion_ratio", "project") == {("Shop",): 0.75}
    assert by(samples, "ccdash_feature_progress_ratio", "project") == {("Shop",): 0.75}
    assert by(samples, "ccdash_features", "project") == {("Shop",): 2, (odd,): 0}


def test_every_metric_has_help_and_type_once(counters: Counters) -> None:
    lines = text(counters, WORK).splitlines()
    for family in FAMILIES:
        assert lines.count(f"# TYPE {family.name} {family.kind}") == 1
        (help,) = (line for line in lines if line.startswith(f"# HELP {family.name} "))
        assert help.endswith(".")
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.name.startswith("ccdash_")


@needs_promtool
def test_promtool_has_no_complaint(counters: Counters) -> None:
    assert complaints(text(counters, WORK)) == ""


@needs_promtool
def test_promtool_would_complain() -> None:
    assert "no help text" in complaints("ccdash_x_total 1\n")
    assert "parsing error" in complaints('ccdash_x{a="b} 1\n')


def many(number: int) -> Work:
    """More projects, models and tools than have places; those of the highest numbers cost most."""
    return Work(
        usage={(f"p{n}", f"m{n}"): Measures(messages=1, cost=n) for n in range(number)},
        projects={f"p{n}": Measures(sessions=1) for n in range(number)},
        tools={f"t{n}": Measures(calls=n, success=n) for n in range(number)},
        names={f"p{n}": ProjectName(f"P{n}", False) for n in range(number)},
    )


def test_labels_are_bounded_and_the_dearest_are_told_apart(counters: Counters) -> None:
    samples = told(counters, many(150))
    projects = by(samples, "ccdash_sessions_total", "project")
    assert {name for (name,) in projects} == {OTHER} | {f"P{n}" for n in range(100, 150)}
    assert projects[OTHER,] == 100
    assert len(by(samples, "ccdash_cost_usd_total", "model")) == LIMITS["model"] + 1
    assert len(by(samples, "ccdash_tool_seconds_total", "tool")) == LIMITS["tool"] + 1
    assert total(samples, "ccdash_cost_usd_total") == pytest.approx(sum(range(150)) / 10**12)
    assert total(samples, "ccdash_tool_calls_total") == sum(range(150))


def test_what_another_version_counted_is_kept_and_not_told(counters: Counters) -> None:
    counters.rows.settle({("ccdash_gone_total", "a"): 1, ("ccdash_messages_total", "shop"): 1})
    assert by(told(counters, WORK), "ccdash_messages_total", "model")["opus",] == 3
    assert counters.rows.values()["ccdash_gone_total", "a"] == 1


def test_long_values_are_cut_and_stay_apart(counters: Counters) -> None:
    work = Work(tools={"x" * 10_000 + end: Measures(calls=1, success=1) for end in "ab"})
    tools = by(told(counters, work), "ccdash_tool_seconds_total", "tool")
    assert len(tools) == 2
    assert {len(tool) for (tool,) in tools} == {prometheus.LABEL_CAP}


def test_the_names_of_hidden_projects_are_not_told(counters: Counters) -> None:
    secret = Work(projects={"secret-1a2b3c": Measures(prompts=2)}, names={"secret-1a2b3c": ProjectName("Secret", True)})
    assert by(told(counters, secret), "ccdash_prompts_total", "project") == {("hidden-1",): 2}
    assert "ecret" not in text(counters, secret)
    # Not even where the cache cannot be asked.
    unasked = text(counters, Work(), settled=False)
    assert by(parse(unasked), "ccdash_prompts_total", "project") == {("hidden-1",): 2}
    shown = Work(projects=secret.projects, names={"secret-1a2b3c": ProjectName("Secret", False)})
    assert by(told(counters, shown), "ccdash_prompts_total", "project") == {("Secret",): 2}


def test_a_project_that_vanishes_keeps_name_and_value(counters: Counters) -> None:
    assert by(told(counters, WORK), "ccdash_prompts_total", "project")["Shop",] == 4
    assert by(told(counters, Work()), "ccdash_prompts_total", "project")["Shop",] == 4


words = st.text(string.printable + "€\udc80", max_size=6)
amounts = st.integers(0, 10**15)
works = st.builds(
    lambda usage, tools, hidden: Work(
        usage={key: Measures(messages=n, cost=n, input=n) for key, n in usage.items()},
        projects={project: Measures(prompts=n) for (project, _), n in usage.items()},
        tools={tool: Measures(calls=n, success=n) for tool, n in tools.items()},
        names={project: ProjectName(project[:2], project in hidden) for project, _ in usage},
    ),
    st.dictionaries(st.tuples(words, words), amounts, max_size=8),
    st.dictionaries(words, amounts, max_size=8),
    st.sets(words, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(works, min_size=1, max_size=4))
def test_no_series_of_any_label_falls_and_nothing_is_missing(tmp_path: Path, history: list[Work]) -> None:
    path = tmp_path / "counters.json"
    path.unlink(missing_ok=True)
    before: dict[str, float] = {}
    for work in history:
        counters = Counters(path)
        samples = told(counters, work)
        counters.save()
        names = ("ccdash_messages_total", "ccdash_tool_calls_total", "ccdash_prompts_total")
        sums = {name: total(samples, name) for name in names}
        assert all(sums[name] >= value for name, value in before.items())
        assert sums["ccdash_messages_total"] >= sum(used.messages for used in work.usage.values())
        assert sums["ccdash_tool_calls_total"] >= sum(used.calls for used in work.tools.values())
        if not before:
            assert sums["ccdash_messages_total"] == sum(used.messages for used in work.usage.values())
            assert sums["ccdash_tool_calls_total"] == sum(used.calls for used in work.tools.values())
        before = sums
