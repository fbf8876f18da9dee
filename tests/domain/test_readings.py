"""A reading is taken in its own unit and range, or refused with what would be right."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.errors import Malformed, Refused
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import Author, HoldReason, ObservationName, Role
from domain.language.observations import Measurement, RecordAssessment, RecordReadings
from domain.rules.readings import read_measurements
from tests.domain.scenes import FIRST
from tests.domain.simulation import COMBINED, Simulation, measure, readings

DIASTOLIC = measure("diastolic_bp", 30)

# What was said, and what the refusal must say.
WRONG = [
    ((measure("systolic_bp", "18.7"), DIASTOLIC), "takes a number, not an answer"),
    ((measure("systolic_bp", 18.7, "kPa"), DIASTOLIC), "must be in mmHg (mm[Hg]); nothing is"),
    ((measure("systolic_bp", 1520), DIASTOLIC), "systolic_bp must be 40 to 300 mmHg"),
    ((measure("systolic_bp", 39.9), DIASTOLIC), "systolic_bp must be 40 to 300 mmHg"),
    ((measure("systolic_bp", float("nan")), DIASTOLIC), "systolic_bp must be 40 to 300 mmHg"),
    ((measure("systolic_bp", float("inf")), DIASTOLIC), "systolic_bp must be 40 to 300 mmHg"),
    ((measure("systolic_bp", 128),), "must be recorded together"),
    ((measure("spo2", 97), measure("spo2", 96)), "each observation may be given only once"),
    ((Measurement(ObservationName("spo2"), Decimal(97)),), "spo2 must be in %"),
    ((Measurement(ObservationName("spo2"), unit="%"),), "spo2 needs a value in %"),
    ((Measurement(ObservationName("pulse"), Decimal(70), "/min"),), "unknown observation; known"),
    ((measure("ride_home", "yes"),), "ride_home must be arranged or not arranged"),
    ((Measurement(ObservationName("ride_home"), Decimal(1)),), "without value or unit"),
    ((measure("minutes_observed", 120),), "is computed and cannot be recorded"),
    ((measure("madrs_reduction", 60),), "is computed and cannot be recorded"),
    ((measure("phq9_item9", 0),), "comes from its scale's items"),
    ((measure("madrs_total", 10),), "comes from its scale's items"),
    ((), "at least one reading"),
]


@pytest.mark.parametrize(("said", "why"), WRONG)
def test_what_cannot_be_a_reading_is_refused_with_the_reason(said, why):
    """A wrong unit, range, name or answer is refused and never converted or guessed."""
    with pytest.raises(Malformed) as refusal:
        read_measurements(COMBINED.vocabulary, said)
    assert why in str(refusal.value)


def test_all_that_is_wrong_is_said_at_once():
    """Two mistakes in one request are both named."""
    with pytest.raises(Malformed) as refusal:
        read_measurements(COMBINED.vocabulary, (measure("systolic_bp", 1520), measure("spo2", 5)))
    for why in ("systolic_bp must be", "spo2 must be", "must be recorded together"):
        assert why in str(refusal.value)


@pytest.mark.parametrize("unit", ["mmHg", "mm[Hg]"])
@pytest.mark.parametrize("value", [40, 300])
def test_a_unit_is_taken_as_people_write_it_or_as_its_code(unit, value):
    """The ends of the physical range are readings, in either spelling of the unit."""
    said = (measure("systolic_bp", value, unit), DIASTOLIC)
    assert read_measurements(COMBINED.vocabulary, said)[0].value == value


@pytest.mark.parametrize(
    ("ago", "why"),
    [(timedelta(minutes=-2), "is in the future"), (None, "has no offset from UTC")],
)
def test_a_future_or_naive_time_of_measurement_is_refused(ago, why):
    """A reading from the future, or at a time without an offset, is not recorded."""
    world = Simulation(FIRST)
    measured = datetime(2026, 11, 29, 9) if ago is None else world.now - ago  # noqa: DTZ001  the fact itself
    refusal = world.attempt(RecordReadings(measured, (measure("spo2", 97),)))
    assert isinstance(refusal, Malformed)
    assert why in str(refusal)


@pytest.mark.parametrize(
    ("scale", "items", "why"),
    [
        ("hamd", (0,) * 17, "known scales: madrs, phq9"),
        ("phq9", (0,) * 8, "has 9 items, not 8"),
        ("phq9", (0,) * 8 + (4,), "from 0 to 3"),
        ("madrs", (-1,) + (0,) * 9, "from 0 to 6"),
    ],
)
def test_a_scale_is_scored_item_by_item_or_refused(scale, items, why):
    """A scale with an unknown name, a missing item or an impossible score is refused."""
    world = Simulation(FIRST)
    refusal = world.attempt(RecordAssessment(scale, world.now, items))
    assert isinstance(refusal, Malformed)
    assert why in str(refusal)


def test_who_may_record_what_is_as_the_vocabulary_says():
    """A nurse cannot say that nothing speaks against the drug; the refusal says who can."""
    world = Simulation(FIRST)
    screening = readings(rems_enrolment="confirmed", intracerebral_hemorrhage="absent")
    wish = RecordReadings(world.now, screening)
    with pytest.raises(Refused, match="hemorrhage is recorded by a prescriber") as no:
        world.do(wish, Author("a-nurse", Role.NURSE))
    assert [(block.rule, block.who) for block in no.value.blocked_by] == [
        ("recorded-by", (Role.PRESCRIBER,))
    ]
    world.do(wish, Author("a-prescriber", Role.PRESCRIBER))


def test_who_may_score_a_scale_is_as_the_vocabulary_says():
    """A TMS operator does not score PHQ-9."""
    world = Simulation(FIRST)
    wish = RecordAssessment("phq9", world.now, (0,) * 9)
    with pytest.raises(
        Refused,
        match="by a care manager, a nurse or a prescriber, not by a TMS",
    ):
        world.do(wish, Author("an-operator", Role.TMS_OPERATOR))


@pytest.mark.parametrize(
    ("taken", "why"),
    [
        ({"systolic_bp": 80, "diastolic_bp": 120}, "diastolic_bp must be below systolic_bp"),
        ({"sedation_moaas": 4.5}, "must be 0 to 5 whole points"),
    ],
)
def test_what_nobody_can_have_measured_is_refused(taken, why):
    """A diastolic pressure above the systolic, or half a point of a scale, is a slip."""
    refusal = Simulation(FIRST).attempt(RecordReadings(Simulation(FIRST).now, readings(**taken)))
    assert isinstance(refusal, Malformed)
    assert why in str(refusal)


def test_a_reason_has_words():
    """A reason of one space without width is none."""
    world = Simulation(FIRST)
    world.do(PlaceHold(HoldReason.OTHER, "a note"))
    refusal = world.attempt(LiftHold(world.pathway.open_holds()[0], "\u200b"))
    assert isinstance(refusal, Malformed)
    assert "in words" in str(refusal)
