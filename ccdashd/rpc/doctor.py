"""``ccdash/doctor``: what was not understood."""

from __future__ import annotations

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import diagnostics


@handles(methods.DOCTOR)
def doctor(call: ReadCall, params: t.DoctorParams) -> t.Doctor:
    """Everything that was not understood, and every session a user might miss."""
    app = call.app
    pipeline = app.pipeline
    skipped = [*pipeline.roots.skipped, *pipeline.plans.unnamed]
    return diagnostics.doctor(call.conn, params, app.problems.all(), skipped, call.revision)
