"""To look again whenever something changed, or fell due: what the keeper of days and the evaluator of alerts share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def rounds(
    wake: asyncio.Event,
    pause: Callable[[], float | None],
    look: Callable[[], Awaitable[float]],
    failed: Callable[[Exception], None],
    *,
    settle: float,
    retry: float,
) -> None:
    """Look without end: `settle` seconds after `wake` was set, with all that came meanwhile, or when the seconds that
    `pause` tells (None: any number) are over. `look` returns how long to rest after it; what it raises goes to `failed`,
    and it is looked again after `retry` seconds."""
    while True:
        try:
            async with asyncio.timeout(pause()):
                await wake.wait()
            await asyncio.sleep(settle)
        except TimeoutError:
            pass
        wake.clear()
        try:
            rest = await look()
        except Exception as error:
            failed(error)
            await asyncio.sleep(retry)
            wake.set()
        else:
            await asyncio.sleep(rest)
