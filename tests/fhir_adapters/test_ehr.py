"""One EHR is one thing: chosen by the installation file, and planned for as what it is."""

from collections.abc import AsyncIterator
from typing import get_args

import pytest
from pydantic import ValidationError

from domain.language.errors import Unavailable
from fhir_adapters.ehr import Ehrs
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.epic import EPIC
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import Fallback, Native, plan_for
from fhir_adapters.profile.vendors import VENDORS
from settings import Connection
from tests.fhir_adapters.fhir_story import statement

ADDRESS = {
    "id": "north",
    "name": "North hospital",
    "base_url": "https://ehr.invalid/fhir",
    "patient_identifier_system": "urn:example:mrn",
}


@pytest.fixture
async def ehrs() -> AsyncIterator[Ehrs]:
    """Two EHRs as a installation file names them."""
    north = Connection.model_validate(ADDRESS | {"vendor": "epic"})
    south = Connection.model_validate(ADDRESS | {"id": "south"})
    made = Ehrs.of([north, south])
    yield made
    await made.close()


def test_the_installation_file_knows_the_vendors_that_there_are() -> None:
    """Each word that a installation file may say has a vendor, and each vendor a word."""
    assert set(get_args(Connection.model_fields["vendor"].annotation)) == set(VENDORS)


def test_an_unknown_vendor_is_refused_with_the_known_ones() -> None:
    """A slip in the file stops the process, and names what would be right."""
    with pytest.raises(ValidationError) as refused:
        Connection.model_validate(ADDRESS | {"vendor": "epik"})
    assert all(name in str(refused.value) for name in VENDORS)


async def test_a_connection_has_the_vendor_that_it_chose(ehrs: Ehrs) -> None:
    """The client and the plan of one EHR are of the same vendor; without a word it is generic."""
    said = statement(("Observation", "DocumentReference"))
    for connection_id, vendor in (("north", EPIC), ("south", GENERIC)):
        ehr = ehrs[connection_id]
        assert ehr.vendor is ehr.client.vendor is ehr.plan(said).vendor is vendor
    assert isinstance(ehrs["north"].plan(said).ways[ArtefactKind.SCALE], Fallback)
    assert isinstance(ehrs["south"].plan(said).ways[ArtefactKind.SCALE], Native)
    assert ehrs.ids() == ("north", "south")


async def test_a_pathway_outlives_its_connections_line(ehrs: Ehrs) -> None:
    """A connection that the file no longer names is planned for as generic, and not talked to."""
    assert ehrs.plan("west", statement()) == plan_for(statement(), GENERIC)
    assert ehrs.plan("north", statement()) == ehrs["north"].plan(statement())
    with pytest.raises(Unavailable, match="the installation file names no connection west"):
        ehrs["west"]
