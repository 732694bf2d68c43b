"""What sessions do with the planning files of the feature that they work on."""

from __future__ import annotations

from collections.abc import Mapping

from ccdash.demo.acts import commit, edit_text, read_text, write_text
from ccdash.demo.features import Feature
from ccdash.demo.plan import Job
from ccdash.demo.plan_files import Told, task


def jobs(feature: Feature, follow: int, root: str, branch: str, files: Mapping[str, str], told: Told) -> tuple[Job, ...]:
    """What the session does beside its story: the first on a feature executes the plan, the next reviews the work, later
    ones look things up. `files` are the feature's by path, `root` the folder that they are in."""
    if follow == 0:
        return (*_planning(feature, root, files), _execution(feature, root, branch, files, told))
    wanted = read_text(f"{root}/{feature.prd}", files[feature.prd])
    if follow == 1:
        state = feature.progress(feature.current)
        reads = (wanted,) if state == feature.prd else (wanted, read_text(f"{root}/{state}", files[state]))
        answer = "What is ticked off there is done; I found nothing that is done and not ticked off."
        return (Job(f"Does the work do all that {feature.prd} asks for?", reads, answer),)
    return (Job(f"What was wanted is in {feature.prd}, if that helps.", (wanted,), "It does: that is what I go by."),)


def _planning(feature: Feature, root: str, files: Mapping[str, str]) -> tuple[Job, ...]:
    if not feature.planned_in_session:
        return ()
    paths = dict.fromkeys((feature.prd, feature.plan))
    writes = tuple(write_text(f"{root}/{path}", files[path]) for path in paths)
    answer = f"The plan has {len(feature.phases)} phases and is in {feature.plan}."
    return (Job(f"/plan:plan-feature {feature.slug}", writes, answer),)


def _execution(feature: Feature, root: str, branch: str, files: Mapping[str, str], told: Told) -> Job:
    """Work on the current phase: plan read, a task ticked off, and a commit."""
    number, phase = feature.current, feature.phases[feature.current - 1]
    at = next(row for row, (state, _) in enumerate(phase.tasks, 1) if state == "done")
    title, state = phase.tasks[at - 1][1], feature.progress(number)
    path = f"{root}/{state}"
    if feature.form == "quick":
        line, before, after = f"/dev:quick-feature {state}", f"- [ ] {title}\n", f"- [x] {title}\n"
    else:
        line = f"/dev:execute-phase {number} {feature.plan}"
        before, after = (task(feature, number, at, word, told) for word in ("in_progress", "done"))
    reads = [read_text(f"{root}/{name}", files[name]) for name in dict.fromkeys((feature.plan, state))]
    done = sum(word == "done" for word, _ in phase.tasks)
    uses = (
        *reads,
        edit_text(path, files[state], before, after),
        commit(branch, told.commit, title, 2 + len(phase.tasks), 40 * len(phase.tasks)),
    )
    return Job(line, uses, f"{done} of {len(phase.tasks)} tasks are done, committed as {told.commit}.")
