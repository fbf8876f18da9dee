"""The SDK's core in this process: where it logs, and where it offers its metrics."""

from functools import cache
from logging import getLogger

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


@cache
def runtime(metrics_address: str | None = None) -> Runtime:
    """The runtime of this process, which offers its metrics to Prometheus at `metrics_address`.

    Their names end as Prometheus has it and as Temporal's documented alerts expect: counters in
    `_total`, times in seconds. Raises ValueError for an address that it cannot listen on.
    """
    forwarding = LogForwardingConfig(
        logger=getLogger("temporalio.core"), append_log_fields_to_message=False
    )
    logging = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
    )
    metrics = None
    if metrics_address is not None:
        metrics = PrometheusConfig(
            bind_address=metrics_address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
        )
    return Runtime(telemetry=TelemetryConfig(logging=logging, metrics=metrics))
