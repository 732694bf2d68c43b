"""What runs for an editor beside its requests, from ``initialized`` until it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from ccdashd.log import get
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.first_index import FirstIndex
from ccdashd.lsp.plan_texts import PlanTexts
from ccdashd.lsp.refresh import Refresher

if TYPE_CHECKING:
    from ccdashd.app import App

logger = get(__name__)


async def live(app: App, editor: Editor) -> None:
    """Work for an editor until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for work in (PlanTexts(app, editor), Refresher(app, editor), FirstIndex(app, editor)):
            tasks.create_task(_alone(editor, work.run()))


async def _alone(editor: Editor, work: Coroutine[Any, Any, None]) -> None:
    # One that fails must not end the others.
    try:
        await work
    except Exception as error:
        logger.error("an editor gets less than it should", editor=editor.name, exc_info=error)
