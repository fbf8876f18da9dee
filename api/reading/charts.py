"""Read what an EHR's chart says of a patient, for the questions that a vocabulary has it answer."""

from datetime import datetime

from api.dependencies import Dependencies
from domain.language.chart import ChartReading
from domain.language.clocks import local_day
from domain.language.errors import Unavailable
from domain.language.protocol import CombinedProtocol
from fhir_adapters.exchange.chart import read_chart


async def chart_of(
    deps: Dependencies,
    connection: str,
    patient_id: str,
    protocol: CombinedProtocol,
    zone: str,
    now: datetime,
) -> ChartReading | None:
    """Read the chart; None if the vocabulary asks nothing of it. An EHR that is away is unread."""
    signs = protocol.vocabulary.chart
    if not signs:
        return None
    try:
        client = deps.ehr(connection).client
    except Unavailable:
        return ChartReading((), tuple(dict.fromkeys(sign.type for sign in signs)))
    return await read_chart(client, patient_id, signs, local_day(now, zone))
