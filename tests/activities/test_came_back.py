"""Whoever was treated had come, in the EHR too; and had not, where the treatment never was."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.names import EventId, PhaseId, VisitId, VisitStatus
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.release import Disposition, ReleaseVisit
from domain.language.treatment import DoseGiven, ReportDose
from domain.language.visits import BookVisit
from store import pathways
from store.database import Database
from tests.standing import StandingEhr
from tests.world import NURSE, PRESCRIBER, World, a_world

INDUCTION = PhaseId("esketamine-induction")
ONE = VisitId("esketamine-induction-visit-1")
WHY = "It was another patient's dose."


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one patient, whose first visit is booked for today."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=2))
        await made.do(PRESCRIBER, SignOrder(INDUCTION))
        at = (await made.pathway()).visits[ONE].proposed
        await made.do(NURSE, BookVisit(ONE, at))
        await made.until_quiet()
        yield made


async def _given(world: World, mg: int = 56) -> EventId:
    """Report a dose at that visit; the id of its entry."""
    at = (await world.now()) - timedelta(minutes=1)
    await world.do(NURSE, ReportDose(ONE, at, mg, "lot-1", "Given before anything was written."))
    async with world.database.begin() as tx:
        history = await pathways.history(tx, world.pathway_id)
    return [event.id for event in history if isinstance(event.fact, DoseGiven)][-1]


async def _first(world: World) -> dict[str, object]:
    """The first visit's Appointment, as it stands in the EHR."""
    await world.until_quiet(5)
    found = await world.in_ehr("Appointment")
    return next(each for each in found if f"{ONE}" in str(each["identifier"]))


async def test_the_appointment_is_as_it_was_before_a_dose_that_never_was(world: World) -> None:
    """Booked, checked in by a dose, and booked again once that was another patient's."""
    before = await _first(world)
    entry = await _given(world)
    assert (await _first(world))["status"] == "arrived"
    correction = CorrectEntry(entry, WHY, wrong_patient=WrongPatient(None))
    await world.do(PRESCRIBER, correction)
    assert (await _first(world))["status"] == before["status"] == "booked"
    assert (await world.pathway()).visits[ONE].status is VisitStatus.BOOKED


async def test_a_dose_of_less_than_was_ordered_was_begun_and_not_finished(world: World) -> None:
    """28 mg of 56 is `stopped` in the EHR; the 56 that were given are `completed`."""
    await _given(world, 28)
    await _given(world, 56)
    await world.until_quiet(5)
    found = await world.in_ehr("MedicationAdministration")
    doses = {each["dosage"]["dose"]["value"]: each["status"] for each in found}  # type: ignore[index]
    assert doses == {28: "stopped", 56: "completed"}


async def test_who_comes_back_after_leaving_is_here_again(world: World) -> None:
    """Left against advice, then treated: the appointment that was fulfilled goes on."""
    await _given(world)
    await world.do(
        PRESCRIBER, ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "Would not stay for it.")
    )
    assert (await _first(world))["status"] == "fulfilled"
    again = ReportDose(ONE, await world.now(), 56, "lot-2", "Came back for it.")
    await world.do(NURSE, again)
    assert (await _first(world))["status"] == "arrived"
    assert (await world.pathway()).visits[ONE].status is VisitStatus.CHECKED_IN
