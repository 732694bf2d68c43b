"""Checks in this process, of caches whose app is in this process too."""

from __future__ import annotations

import os

from ccdashd.integrity import messages, rebuild
from ccdashd.integrity.check import work
from ccdashd.integrity.messages import Answer, Found, Job
from ccdashd.paths import Paths
from ccdashd.settings import Settings


def job(paths: Paths, settings: Settings) -> Job:
    return Job(
        settings=messages.encode_settings(settings),
        cache=os.fsencode(paths.database),
        new=os.fsencode(paths.cache_dir / "new.db"),
        text=os.fsencode(paths.text_index),
        archive=os.fsencode(paths.archive),
        journal=os.fsencode(paths.journal),
        counters=os.fsencode(paths.counters),
        backups=os.fsencode(paths.backups),
    )


def check(paths: Paths, settings: Settings) -> list[Answer]:
    """All answers of a check; no file counts as changed of late."""
    lately, rebuild.LATELY = rebuild.LATELY, -1e9
    try:
        return [messages.decode(answer) for answer in work(messages.encode(job(paths, settings)))]
    finally:
        rebuild.LATELY = lately
        (paths.cache_dir / "new.db").unlink(missing_ok=True)


def faults(paths: Paths, settings: Settings) -> list[Found]:
    return [answer for answer in check(paths, settings) if isinstance(answer, Found)]
