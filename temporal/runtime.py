"""The SDK's core in this process: what it logs, and where its metrics will stand."""

from functools import cache
from logging import getLogger

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


@cache
def runtime() -> Runtime:
    """The one runtime of this process."""
    forwarding = LogForwardingConfig(
        logger=getLogger("temporalio.core"), append_log_fields_to_message=False
    )
    logging = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
    )
    return Runtime(telemetry=TelemetryConfig(logging=logging))
