"""Generated agent logs: as large and as odd as real ones, the same for the same seed, with the truth about them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random

from ccdash.demo.clock import DEFAULT_NOW
from ccdash.demo.corpus import Corpus, Progress
from ccdash.demo.faults import write_faults
from ccdash.demo.plan import Plan
from ccdash.demo.presets import PRESETS, Preset, plans
from ccdash.demo.projects import Projects
from ccdash.demo.session import Script
from ccdash.demo.text import texts, title
from ccdash.demo.truth import Record, SessionTruth, Summary

__all__ = ["PRESETS", "Preset", "Progress", "SessionTruth", "Summary", "generate", "generate_preset"]

FORK_EVERY = 23
TITLE_EVERY = 9


def generate(
    home: Path,
    *,
    sessions: int,
    bytes_target: int,
    seed: int,
    faults: bool = False,
    progress: Progress | None = None,
    now: int = DEFAULT_NOW,
) -> Summary:
    """Write Claude Code logs of `sessions` sessions below ``<home>/.claude/projects``, about `bytes_target` bytes.

    The last sessions end shortly before `now` (milliseconds since 1970). With `faults` one more session per kind of
    damage follows. The same arguments give the same bytes. Raises `OSError` when a file cannot be written.
    """
    return generate_preset(home, Preset(sessions, bytes_target), seed=seed, faults=faults, progress=progress, now=now)


def generate_preset(
    home: Path,
    preset: Preset,
    *,
    seed: int,
    faults: bool = False,
    progress: Progress | None = None,
    now: int = DEFAULT_NOW,
    work: Path | None = None,
    journal: Path | None = None,
) -> Summary:
    """As `generate`, for a preset of `PRESETS`.

    A preset with a story has projects that plan: with `work`, their folders and planning files are written below it, and
    sessions work with them; without, sessions tell of folders that there are not. With `journal` too, that file tells how
    far the plans were on each day, and has an alert rule that the sessions of today break.
    """
    corpus = Corpus(home, seed, texts(seed))
    planned = list(plans(preset, seed, now))
    if work is not None and preset.story:
        projects = Projects(work, seed, planned, now)
        projects.write()
        if journal is not None:
            projects.write_journal(journal)
        corpus.summary.projects = projects.truth
    left = sum(_weight(plan) for plan in planned)
    for index, plan in enumerate(planned):
        rng = Random(f"session {seed} {index}")
        weight = _weight(plan)
        if not preset.story:
            # What earlier sessions wrote too much or too little is shared out among the rest.
            share = min(3.0, max(0.2, (preset.bytes_target - corpus.summary.bytes) / left))
            plan.size, plan.agent_size = int(plan.size * share), int(plan.agent_size * share)
            plan = _refer(corpus, plan, index, rng)
        else:
            plan = replace(plan, start=plan.start - _duration(plan, corpus, f"session {seed} {index}"))
        left -= weight
        corpus.write(plan, rng, keep=not preset.story and corpus.origin is None)
        if progress is not None:
            progress(corpus.summary.bytes, preset.bytes_target)
    if faults:
        write_faults(corpus, now)
    return corpus.summary


def _weight(plan: Plan) -> int:
    return plan.size + plan.agents * plan.agent_size


def _refer(corpus: Corpus, plan: Plan, index: int, rng: Random) -> Plan:
    """Let the session refer to an earlier one now and then: as its fork, or by holding its summary."""
    if index % FORK_EVERY == 7:
        return corpus.fork(plan, renamed=rng.random() < 0.7)
    if index % TITLE_EVERY == 5 and plan.shape.between((2, 0, 76), (2, 1, 22)):
        summary = corpus.name_leaf(title(rng))
        if summary is not None:
            plan.summaries.append(summary)
    return plan


def _duration(plan: Plan, corpus: Corpus, dice: str) -> int:
    """How long a session will last: a rehearsal with the same dice, written nowhere."""
    script = Script(plan, Random(dice), corpus.texts, _forget, lambda agent: nullcontext(_forget))
    script.run()
    return script.author.at - plan.start


def _forget(record: Record) -> None:
    del record
