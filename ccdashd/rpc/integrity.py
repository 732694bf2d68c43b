"""``cache/verify``, ``cache/backup``, ``cache/vacuum`` and ``cache/migrate``: that what is ours stays whole."""

from __future__ import annotations

from ccdashd.integrity.backing_up import backup
from ccdashd.integrity.migrating import migrate
from ccdashd.integrity.vacuuming import vacuum
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


@handles(methods.CACHE_VACUUM)
async def cache_vacuum(call: Call, params: t.WorkParams) -> t.VacuumResult:
    """Give free space of the databases back, a little at a time."""
    with own_progress(call.connection, params, "Vacuum") as report:
        async with call.app.upkeep:
            return await vacuum(call.app, report)


@handles(methods.CACHE_MIGRATE)
async def cache_migrate(call: Call, params: t.MigrateParams) -> t.MigrateResult:
    """The version of the cache, and going down to another."""
    async with call.app.upkeep:
        return await migrate(call.app, params.to, lambda done, total, words: None)
