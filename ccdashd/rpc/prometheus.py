"""``analytics/prometheus``: all metrics as text."""

from __future__ import annotations

from ccdashd.analytics.endpoint import CONTENT_TYPE
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles


@handles(methods.ANALYTICS_PROMETHEUS)
def analytics_prometheus(call: ReadCall, params: t.NoParams) -> t.Prometheus:
    """All counters and gauges in Prometheus' text format."""
    text = call.app.exporter.expose(call.conn, call.revision)
    return t.Prometheus(content_type=CONTENT_TYPE, text=text.decode())
