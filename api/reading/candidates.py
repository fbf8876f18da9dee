"""What in its EHR a write could be, beside what was meant: asked of the EHR when a person looks."""

from api.dependencies import Dependencies
from api.reading.ehr_failures import CANNOT_BE_READ, ehr_away, problem_of
from api.reading.work_views import CandidatesView, CandidateView
from domain.delivery.words import Delivery
from fhir_adapters.content.references import artefacts_in
from fhir_adapters.exchange.candidates import candidates
from store import capabilities, ledger, searches


async def candidates_of(deps: Dependencies, delivery: Delivery) -> CandidatesView:
    """Show side by side what was meant, and each resource that it could be."""
    connection = delivery.connection_id
    async with deps.database.begin() as tx:
        row = await capabilities.find(tx, connection)
        known = await ledger.links(tx, connection, set(artefacts_in(delivery.body)))
        taken = await searches.taken(tx, delivery)
    if row is None:
        raise ehr_away(f"{connection}: what this EHR takes is not known yet")
    try:
        ehr = deps.ehr(connection)
        found = await candidates(
            ehr.client, ehr.plan(row.statement), delivery.intent, known, delivery.patient_id, taken
        )
    except CANNOT_BE_READ as error:
        raise problem_of(error, connection) from None
    return CandidatesView(
        delivery=delivery.id,
        resource_type=delivery.resource_type,
        meant=dict(delivery.body),
        candidates=[
            CandidateView(
                ehr_id=each.ehr_id,
                marked=each.marked,
                differences=list(each.differences),
                resource=dict(each.resource),
            )
            for each in found
        ],
    )
