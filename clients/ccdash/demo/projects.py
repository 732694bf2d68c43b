"""Writes the folders of the made-up projects, lets sessions work in them, and states the truth about their plans."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from posixpath import basename
from random import Random

from ccdash.demo import code
from ccdash.demo.clock import DAY, iso
from ccdash.demo.features import FEATURES, OF_BRANCH, Feature
from ccdash.demo.history import journal
from ccdash.demo.plan import Plan
from ccdash.demo.plan_files import PlanFile, Told, notes, of_feature
from ccdash.demo.plan_work import jobs
from ccdash.demo.stories import STORIES
from ccdash.demo.truth import FeatureTruth, ProjectTruth


class Projects:
    """The projects of the stories in folders below `work`. `plans` are the sessions, oldest first; what they do with plans
    is added to them."""

    def __init__(self, work: Path, seed: int, plans: Sequence[Plan], now: int) -> None:
        self._work = work.absolute()
        self._seed = seed
        self._now = now
        self.truth: dict[str, ProjectTruth] = {}
        self._told: dict[str, list[tuple[Feature, Told]]] = {}
        self._code: dict[str, int] = {}
        """When files of code were written, by path."""
        sessions: dict[Feature, list[tuple[int, Plan]]] = {feature: [] for feature in FEATURES}
        for number, plan in enumerate(reversed(plans)):
            root, branch, _ = STORIES[number % len(STORIES)]
            feature = OF_BRANCH.get((root, basename(branch)))
            if feature is not None:
                sessions[feature].append((number // len(STORIES), plan))
        self._files: dict[str, list[tuple[PlanFile, int]]] = {root: [] for root, _, _ in STORIES}
        for root in self._files:
            self.truth[self._root(root)] = ProjectTruth(self._root(root))
        for feature, of_it in sessions.items():
            self._tell(feature, of_it)
        for root, files in self._files.items():
            files += [(file, now - 9 * DAY) for file in notes(root)]
        for plan in plans:
            plan.root = self._root(plan.root)

    def _root(self, root: str) -> str:
        return str(self._work / basename(root))

    def _tell(self, feature: Feature, sessions: Sequence[tuple[int, Plan]]) -> None:
        """Add the files of a feature, what sessions do with them, and the truth."""
        commit = f"{Random(f'commit {self._seed} {feature.slug}').getrandbits(28):07x}"
        starts = [plan.start for _, plan in sessions]
        worker = next((plan.session_id for follow, plan in sessions if follow == 0), "")
        told = Told(
            created=iso(min(starts, default=self._now) - 5 * DAY)[:10],
            updated=iso(max(starts, default=self._now - 3 * DAY))[:10],
            session_id=worker,
            commit=commit if worker else "",
        )
        files = list(of_feature(feature, told))
        self._files[feature.root] += [(file, max(starts, default=self._now - 3 * DAY)) for file in files]
        by_path = {file.path: file.text for file in files}
        root = self._root(feature.root)
        for follow, plan in sessions:
            if plan.story is not None:
                work = jobs(feature, follow % 4, root, plan.branch, by_path, told)
                plan.story = replace(plan.story, jobs=work)
        if feature.slug == code.FEATURE:
            self._write_code(root, [plan for _, plan in sessions if plan.story is not None])
        self._told.setdefault(root, []).append((feature, told))
        states = Counter(state for phase in feature.phases for state, _ in phase.tasks)
        completed = Counter(
            told.completed(feature, at, row) if feature.form == "list" else ""
            for at, phase in enumerate(feature.phases, 1)
            for row, (state, _) in enumerate(phase.tasks, 1)
            if state == "done"
        )
        self.truth[root].features[feature.slug] = FeatureTruth(
            feature.slug,
            feature.state,
            {str(state): number for state, number in states.items()},
            mismatch=any(phase.flaw == "open" for phase in feature.phases),
            commit=told.commit,
            executed_by=worker,
            sessions=[plan.session_id for _, plan in sessions],
            completed=dict(completed),
        )

    def _write_code(self, root: str, plans: Sequence[Plan]) -> None:
        """Have these sessions write a file of code."""
        plans = sorted(plans, key=lambda plan: plan.start)
        for plan, work in zip(plans, code.jobs(root, len(plans)), strict=True):
            if plan.story is not None:
                plan.story = replace(plan.story, jobs=(*plan.story.jobs, *work))
        if plans:
            self._code[f"{root}/{code.PATH}"] = plans[-1].start

    def write_journal(self, path: Path) -> None:
        """Write the journal of a daemon that was there all the time. Raises `OSError`."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "".join(f"{line}\n" for line in journal(self._told, self._now))
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def write(self) -> None:
        """Write all files, each with the time at which it was last worked on. Raises `OSError`."""
        for made_up, files in self._files.items():
            root = Path(self._root(made_up))
            # What makes a folder a repository, and so a project, for whoever looks for one.
            (root / ".git").mkdir(parents=True, exist_ok=True)
            (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
            truth = self.truth[str(root)]
            for file, at in files:
                path = root / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text, encoding="utf-8")
                os.utime(path, (at / 1000, at / 1000))
                truth.documents += 1
                if file.slug:
                    truth.features[file.slug].documents += 1
        for name, at in self._code.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code.text(), encoding="utf-8")
            os.utime(path, (at / 1000, at / 1000))
