"""``cache/verify``, ``cache/backup``, ``cache/vacuum`` and ``cache/migrate``: that what is ours stays whole."""

from __future__ import annotations

from ccdashd.integrity.backing_up import backup
from ccdashd.integrity.verifying import verify
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, handles
from ccdashd.rpc.progress import own_progress


@handles(methods.CACHE_VERIFY)
async def cache_verify(call: Call, params: t.VerifyParams) -> t.VerifyResult:
    """Check everything that is ours, and repair what is wrong when asked."""
    with own_progress(call.connection, params, "Verify") as report:
        async with call.app.upkeep:
            return await verify(call.app, report, repair=params.repair)


@handles(methods.CACHE_BACKUP)
async def cache_backup(call: Call, params: t.BackupParams) -> t.BackupResult:
    """Copy what is ours into a folder, while all goes on."""
    with own_progress(call.connection, params, "Back up") as report:
        async with call.app.upkeep:
            return await backup(call.app, params, report)
