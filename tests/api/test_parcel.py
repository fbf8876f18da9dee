"""An inbox row holds all that sending on needs, and why it was rejected."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from domain.language.clocks import LocalTime
from domain.language.commands import Command
from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.names import (
    Author,
    EventId,
    ObservationName,
    PathwayId,
    PhaseId,
    RequestId,
    Role,
    RuleId,
    VisitId,
)
from domain.language.observations import Measurement, RecordReadings
from domain.language.pathway import Pathway
from domain.language.phases import PhaseEntered
from domain.language.protocol import CombinedProtocol
from temporal.parcel import pack_command, pack_refusal, pack_start, unpack, unpack_refusal
from workflows.messages import PathwayInput, Refusal

NURSE = Author("nurse-1", Role.NURSE)
NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


def test_a_command_comes_out_as_it_went_in():
    """A packed command survives JSON, decimals and instants included."""
    taken = (Measurement(ObservationName("spo2"), Decimal("96.5"), "%"),)
    wish = RecordReadings(NOW, taken, VisitId("a-visit-1"))
    command = Command(RequestId("r"), NURSE, wish, expects=3)
    assert unpack(json.loads(json.dumps(pack_command(command)))) == command


def test_a_start_comes_out_as_it_went_in(protocol: CombinedProtocol):
    """A packed start survives JSON with its whole protocol and its first events."""
    entered = PhaseEntered(PhaseId("a"), LocalTime(NOW.date(), NOW.time()))
    begin = (Event(EventId("r/0"), NOW, NURSE, entered),)
    start = PathwayInput(
        Pathway(PathwayId("p")), protocol, first_request=RequestId("r"), begin=begin
    )
    assert unpack(json.loads(json.dumps(pack_start(start)))) == start


def test_a_refusal_comes_out_as_it_went_in():
    """Why a command was rejected is kept whole, so that a repeat is answered alike."""
    block = Blocked(RuleId("gap"), (Role.NURSE,), finding="too soon", until=NOW)
    refusal = Refusal("Refused", "not yet", (block,))
    assert unpack_refusal(json.loads(json.dumps(pack_refusal(refusal)))) == refusal
