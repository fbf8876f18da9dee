"""An inbox row holds all that sending on needs, and why it was rejected."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from domain.enrolment import Enrolment
from domain.language.clocks import LocalTime
from domain.language.commands import Command
from domain.language.findings import Blocked
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    ObservationName,
    RequestId,
    Role,
    RuleId,
    SiteId,
    VisitId,
)
from domain.language.observations import Measurement, RecordReadings
from domain.language.phases import PathwayStarted
from domain.language.refusal import Refusal
from store.columns import (
    command_from_json,
    command_to_json,
    refusal_from_json,
    refusal_to_json,
)

NURSE = Author("nurse-1", Role.NURSE)
NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


def test_a_command_comes_out_as_it_went_in():
    """A packed command survives JSON, decimals and instants included."""
    taken = (Measurement(ObservationName("spo2"), Decimal("96.5"), "%"),)
    wish = RecordReadings(NOW, taken, VisitId("a-visit-1"))
    command = Command(RequestId("r"), NURSE, wish, expects=3)
    assert command_from_json(json.loads(json.dumps(command_to_json(command)))) == command


def test_an_enrolment_comes_out_as_it_went_in():
    """What starts a pathway survives JSON."""
    started = PathwayStarted(
        EhrPatientId("1"), ConnectionId("ehr"), SiteId("s"), "America/New_York", "p", 1, "abc"
    )
    first_visit = LocalTime(NOW.date(), NOW.time())
    enrolment = Enrolment(RequestId("r"), NURSE, started, first_visit)
    assert command_from_json(json.loads(json.dumps(command_to_json(enrolment)))) == enrolment


def test_a_refusal_comes_out_as_it_went_in():
    """Why a command was rejected is kept whole, so that a repeat is answered alike."""
    block = Blocked(RuleId("gap"), (Role.NURSE,), finding="too soon", passes=NOW)
    refusal = Refusal("Refused", "not yet", (block,))
    assert refusal_from_json(json.loads(json.dumps(refusal_to_json(refusal)))) == refusal
