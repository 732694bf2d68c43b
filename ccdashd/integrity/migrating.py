"""The version of the cache's schema: which it is, and going down to an older one, for an older ccdash."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.errors import Busy, InvalidParams
from ccdashd.integrity.backing_up import backup
from ccdashd.integrity.verifying import Report
from ccdashd.protocol import types as t
from ccdashd.store import SCHEMA, versions
from ccdashd.store.database import explain

if TYPE_CHECKING:
    from ccdashd.app import App


async def migrate(app: App, to: str | None, report: Report) -> t.MigrateResult:
    """Say where the cache is, or go down to the version `to`; an open cache is at the newest already.

    Raises InvalidParams for a version that there is not, ReadOnly where no backup can be made, Busy where it fails.
    """
    titles = await asyncio.to_thread(versions.titles)
    if to is not None and to not in titles:
        raise InvalidParams("to", f"there is no such version; there are {', '.join(titles)}", to, list(titles))
    revision = app.database.revision
    made = None
    if to is not None and to != SCHEMA:
        made = (await backup(app, t.BackupParams(), report)).path
        reason = f"cache.db was brought down to version {to}, for an older ccdash, and is left alone"
        try:
            await app.while_closed(partial(_down, app, to), leave_alone=reason)
        except sa.exc.SQLAlchemyError as error:
            raise Busy(f"the cache stays as it is: {explain(error)}", reason="migration") from error
    version = to or SCHEMA
    return t.MigrateResult(
        version=version,
        newest=SCHEMA,
        migrations=[t.Migration(version=id, title=title, applied=id <= version) for id, title in titles.items()],
        backup=made,
        revision=revision,
    )


async def _down(app: App, to: str, revision: int) -> None:
    await asyncio.to_thread(versions.downgrade_file, app.paths.database, to)
