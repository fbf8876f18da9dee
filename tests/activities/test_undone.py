"""What ended by something that was in error is active again in the EHR: order, hold, pathway."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.errors import Conflict
from domain.language.holds import HoldLifted, HoldPlaced, LiftHold, PlaceHold
from domain.language.names import HoldReason, PathwayStatus, PhaseDecision, PhaseId
from domain.language.phases import Decide, DecisionMade, OrderSigned, SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.visits import BookVisit, MissVisit, VisitMissed
from store import pathways
from store.database import Database
from tests.standing import StandingEhr
from tests.world import NURSE, PRESCRIBER, World, a_world
from workflows.messages import Turn

INDUCTION = PhaseId("esketamine-induction")
WHY = "meant for another patient"


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient, whose order is signed."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.do(PRESCRIBER, SignOrder(INDUCTION))
        await made.until_quiet()
        yield made


async def _undo(world: World, fact: type) -> None:
    """Take the last entry of this kind back, whether the pathway has ended or not."""
    async with world.database.begin() as tx:
        history = await pathways.history(tx, world.pathway_id)
    entry = [event for event in history if isinstance(event.fact, fact)][-1].id
    sent = await world.receive(PRESCRIBER, CorrectEntry(entry, WHY))
    await world.turns.take_turn(Turn(world.pathway_id, sent))
    if (await world.command(sent)).state != "applied":
        raise await world.refusal(sent)
    await world.until_quiet(5)


async def _of(world: World, resource_type: str) -> list[str]:
    return sorted(str(each["status"]) for each in await world.in_ehr(resource_type))


async def test_an_order_in_error_is_marked_and_the_next_is_another(world: World) -> None:
    """One MedicationRequest entered in error; signed again, an active one stands beside it."""
    await _undo(world, OrderSigned)
    assert await _of(world, "MedicationRequest") == ["entered-in-error"]
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.until_quiet()
    assert await _of(world, "MedicationRequest") == ["active", "entered-in-error"]


async def test_a_hold_lifted_in_error_is_active_again(world: World) -> None:
    """The Flag is active, as it was before somebody lifted it."""
    await world.do(PRESCRIBER, PlaceHold(HoldReason.MEDICAL_REVIEW, "chest pain"))
    (hold,) = (await world.pathway()).open_holds()
    await world.do(PRESCRIBER, LiftHold(hold, "looked at, and nothing found"))
    await world.until_quiet()
    assert await _of(world, "Flag") == ["inactive"]
    await _undo(world, HoldLifted)
    (flag,) = await world.in_ehr("Flag")
    assert flag["status"] == "active"
    assert "end" not in flag["period"]  # type: ignore[operator]


async def _hold_while_away(world: World) -> None:
    """Place a hold and lift it while the EHR is away; another write waits before it."""
    await world.do(PRESCRIBER, PlaceHold(HoldReason.OTHER, "waiting for a call"))
    await world.until_quiet()
    world.wire.refuse()
    await world.do(PRESCRIBER, LiftHold((await world.pathway()).open_holds()[0], "they called"))
    await world.until_quiet(2)
    await world.do(PRESCRIBER, PlaceHold(HoldReason.SUICIDE_RISK, "said so on the phone"))
    (hold,) = (await world.pathway()).open_holds()
    await world.do(PRESCRIBER, LiftHold(hold, "looked at, and nothing found"))


async def test_what_tells_of_a_thing_that_never_left_goes_with_it(world: World) -> None:
    """Placed, lifted and taken back while the EHR was away: nobody is asked about its lifting."""
    await _hold_while_away(world)
    await _undo(world, HoldPlaced)
    world.wire.accept()
    await world.until_quiet(30)
    assert await _of(world, "Flag") == ["inactive"]
    waiting = [row for row in await world.ledger() if row.state == "intent" or row.needs_person]
    assert waiting == []


async def test_a_hold_that_stands_again_reaches_the_ehr(world: World) -> None:
    """Lifted, that taken back, the hold taken back and restored, all unsent: it is active there."""
    await _hold_while_away(world)
    await _undo(world, HoldLifted)
    await _undo(world, HoldPlaced)
    await _undo(world, EntryVoided)
    world.wire.accept()
    await world.until_quiet(30)
    assert len((await world.pathway()).open_holds()) == 1
    assert await _of(world, "Flag") == ["active", "inactive"]
    waiting = [row for row in await world.ledger() if row.state == "intent" or row.needs_person]
    assert waiting == []


async def test_a_phase_entered_in_error_is_left_again(world: World) -> None:
    """The order that ended is active, and the CarePlan shows its phase as under way."""
    await world.do(PRESCRIBER, Decide(INDUCTION, PhaseDecision.MOVE_ON, "as discussed"))
    await world.until_quiet()
    assert "active" not in await _of(world, "MedicationRequest")
    await _undo(world, DecisionMade)
    assert await _of(world, "MedicationRequest") == ["active"]
    (plan,) = await world.in_ehr("CarePlan")
    states = [each["detail"]["status"] for each in plan["activity"]]  # type: ignore[attr-defined]
    assert states == ["in-progress", "not-started", "not-started"]


async def test_an_end_in_error_opens_the_pathway_again(world: World) -> None:
    """Episode, plan and order are active, its row is open, and a workflow runs it again."""
    await world.do(PRESCRIBER, Decide(INDUCTION, PhaseDecision.STOP, "the patient's wish"))
    await world.until_quiet()
    assert (await world.row()).status is PathwayStatus.FINISHED
    assert await _of(world, "EpisodeOfCare") == ["finished"]
    await _undo(world, DecisionMade)
    assert (await world.row()).status is PathwayStatus.OPEN
    for resource_type in ("EpisodeOfCare", "CarePlan", "MedicationRequest"):
        assert await _of(world, resource_type) == ["active"], resource_type
    (episode,) = await world.in_ehr("EpisodeOfCare")
    assert "end" not in episode["period"]  # type: ignore[operator]
    await world.recovery.sweep()
    await world.do(PRESCRIBER, PlaceHold(HoldReason.SUPPLY, "no drug today"))
    assert (await world.pathway()).open_holds()


async def test_an_end_is_not_taken_back_beside_another_open_pathway(world: World) -> None:
    """The patient was enrolled anew since: refused, and both stay as they are."""
    await world.do(PRESCRIBER, Decide(INDUCTION, PhaseDecision.STOP, "the patient's wish"))
    await world.until_quiet()
    ended = world.pathway_id
    async with world.database.begin() as tx:
        first = await pathways.find(tx, ended)
    assert first is not None
    await world.enrol_again((await world.now()).date() + timedelta(days=9))
    world.pathway_id = ended
    with pytest.raises(Conflict, match="another open pathway"):
        await _undo(world, DecisionMade)
    assert (await world.row()).status is PathwayStatus.FINISHED


async def _restore(world: World) -> None:
    """Take the last void back: the entry counts again."""
    async with world.database.begin() as tx:
        history = await pathways.history(tx, world.pathway_id)
    void = [event for event in history if isinstance(event.fact, EntryVoided)][-1].id
    await world.do(PRESCRIBER, CorrectEntry(void, "it was right after all"))
    await world.until_quiet(5)


async def test_what_was_restored_stands_in_the_ehr_as_it_had_been(world: World) -> None:
    """A lifting restored: the Flag is inactive. Its hold restored: so too, for it was lifted."""
    await world.do(PRESCRIBER, PlaceHold(HoldReason.MEDICAL_REVIEW, "chest pain"))
    (hold,) = (await world.pathway()).open_holds()
    await world.do(PRESCRIBER, LiftHold(hold, "looked at, and nothing found"))
    await world.until_quiet()
    for entry in (HoldLifted, HoldPlaced):
        await _undo(world, entry)
        await _restore(world)
        assert await _of(world, "Flag") == ["inactive"]
        assert (await world.pathway()).open_holds() == ()


async def test_a_visit_restored_is_what_it_was(world: World) -> None:
    """Missed, taken back and restored, its Appointment is a no-show again."""
    visit = next(iter((await world.pathway()).visits))
    await world.do(NURSE, BookVisit(visit))
    await world.virtual.move_by(timedelta(days=10))
    await world.do(NURSE, MissVisit(visit))
    await world.until_quiet()
    assert "noshow" in await _of(world, "Appointment")
    await _undo(world, VisitMissed)
    assert "noshow" not in await _of(world, "Appointment")
    await _restore(world)
    assert "noshow" in await _of(world, "Appointment")
