"""How many sessions, how large, when and where: plans for a corpus, and the sizes that have names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ccdash.demo.clock import DAY, HOUR, MINUTE
from ccdash.demo.plan import Plan
from ccdash.demo.records import uuid4
from ccdash.demo.shapes import shape_at
from ccdash.demo.stories import story_of
from ccdash.demo.text import NOUNS, VERBS

MB = 1_000_000
AGENTS_PER_SESSION = 6.5
AGENT_SHARE = 0.22
"""Share of all bytes that stands in logs of sub-agents."""
LARGEST = (0.0268, 0.0215, 0.0185, 0.016)
"""Shares of all bytes of the largest four sessions: 70 to 41 MB of 2.8 GB."""


@dataclass(frozen=True)
class Preset:
    """A size that has a name. `story`: projects, prompts and titles that mean something, times close to now."""

    sessions: int
    bytes_target: int
    agents_per_session: float = AGENTS_PER_SESSION
    story: bool = False


PRESETS = {
    "demo": Preset(40, 9 * MB, agents_per_session=0.8, story=True),
    "small": Preset(40, 40 * MB),
    "seed": Preset(459, 2800 * MB),
    "many": Preset(4590, 1500 * MB),
}


def plans(preset: Preset, seed: int, now: int) -> Iterator[Plan]:
    """The sessions of a corpus, oldest first. Sizes are the plan's; the caller corrects them as bytes come out."""
    rng = Random(f"plans {seed}")
    count = preset.sessions
    weights = [rng.lognormvariate(0, 1.3) for _ in range(count)]
    scale = (1 - AGENT_SHARE) * preset.bytes_target / sum(weights)
    # Many sessions have a few giants by plan; few sessions have none by chance.
    most = preset.bytes_target * (0.0105 if count >= 100 else 0.5 if count < 10 else 0.12)
    sizes = [int(min(weight * scale, most)) for weight in weights]
    if count >= 100:
        for place, share in zip(rng.sample(range(count), len(LARGEST)), LARGEST, strict=True):
            sizes[place] = int(share * preset.bytes_target)
    calls = _spread(rng, sizes, int(count * preset.agents_per_session))
    agent_size = int(AGENT_SHARE * preset.bytes_target / max(1, sum(calls)))
    roots = _roots(rng, max(2, round(count**0.5 * 0.9)))
    for index, (size, agents) in enumerate(zip(sizes, calls, strict=True)):
        age = 1 - (index + 0.5) / count
        start = now - int(age**1.3 * 330 * DAY) - HOUR - int(size / 2600 * 2.2 * 1000)
        root = roots[int(rng.random() ** 1.7 * len(roots))]
        branch = rng.choice(("main", "main", f"feat/{rng.choice(VERBS)}-{rng.choice(NOUNS)}", ""))
        plan = Plan(uuid4(rng), root, branch, shape_at(age, rng), start, size, agents, agent_size)
        if preset.story:
            _tell(plan, index, count, now, rng)
        yield plan


def _tell(plan: Plan, index: int, count: int, now: int, rng: Random) -> None:
    """Make a plan of a demo: project and story by turns, one session of the last minutes still running."""
    back = count - 1 - index
    plan.root, plan.branch, plan.story = story_of(back)
    plan.running = back < 2
    ages = (20_000, 4 * MINUTE, 50 * MINUTE, 3 * HOUR)
    # The end is what matters for looking alive; the writer moves the start back by the session's duration.
    plan.start = now - (ages[back] if back < len(ages) else int(back**1.35 * 5 * HOUR * (0.8 + 0.4 * rng.random())))
    plan.size = min(plan.size, 1_200_000)


def _spread(rng: Random, sizes: list[int], total: int) -> list[int]:
    """`total` agents over sessions: larger sessions call more."""
    roots = [size**0.5 * (0.3 + 1.4 * rng.random()) for size in sizes]
    whole = sum(roots)
    calls, rest = [], 0.0
    for root in roots:
        rest += total * root / whole
        calls.append(int(rest))
        rest -= calls[-1]
    return calls


def _roots(rng: Random, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"/home/dev/{rng.choice(('work', 'code', 'oss'))}/{rng.choice(NOUNS)}-{rng.choice(NOUNS)}"] = None
    return list(names)
