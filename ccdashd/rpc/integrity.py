"""``cache/verify``, ``cache/backup``, ``cache/vacuum`` and ``cache/migrate``: that what is ours stays whole."""

from __future__ import annotations

from ccdashd.integrity.verifying import verify
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, handles


@handles(methods.CACHE_VERIFY)
async def cache_verify(call: Call, params: t.VerifyParams) -> t.VerifyResult:
    """Check everything that is ours, and repair what is wrong when asked."""
    async with call.app.upkeep:
        return await verify(call.app, repair=params.repair)
