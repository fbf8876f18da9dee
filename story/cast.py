"""Who is in the clinic, and how far each has come when the clock starts. All of them are made up.

An hour is the patient's own: each visit begins at it, so it decides who is where at `NOW`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from demo.course import Course
from demo.patients import SyntheticPatient, Way
from story import scenes

NEW_YORK, PHOENIX = ZoneInfo("America/New_York"), ZoneInfo("America/Phoenix")
ZONES = {"manhattan": NEW_YORK, "phoenix": PHOENIX}
NOW = datetime(2027, 5, 13, 13, 40, tzinfo=NEW_YORK)
"""A Thursday: 13:40 in Manhattan, 10:40 in Phoenix, where clocks are never changed."""

GIVEN = ("Ada", "Ben", "Cleo", "Dov", "Eve", "Finn", "Gia", "Hal", "Ines", "Jon", "Kay", "Lou")
FAMILY = ("Synthetic", "Madeup", "Testcase", "Nobody", "Invented", "Sample")


@dataclass(frozen=True)
class Role:
    """A patient's part in the story."""

    site: str
    enrolled: str
    """When, on the clinic's wall."""
    first_visit: str
    scene: Callable[[Course], Awaitable[None]]
    way: Way = Way.RESPONDS
    ideation: int = 0


ROLES = (
    # Manhattan, induction
    Role("manhattan", "2027-05-12 10:00", "2027-05-17 09:00", scenes.asleep),
    Role("manhattan", "2027-05-12 11:30", "2027-05-17 10:00", scenes.not_booked),
    Role("manhattan", "2027-05-11 09:30", "2027-05-14 09:00", scenes.in_induction),
    Role("manhattan", "2027-05-10 15:00", "2027-05-13 13:30", scenes.first_day_incomplete),
    Role("manhattan", "2027-05-03 10:00", "2027-05-06 12:40", scenes.in_induction, Way.REMITS),
    Role("manhattan", "2027-04-29 10:00", "2027-05-03 13:30", scenes.pressure_high),
    Role("manhattan", "2027-05-03 11:00", "2027-05-06 12:30", scenes.does_not_come),
    Role("manhattan", "2027-04-26 09:00", "2027-04-29 12:00", scenes.missed_this_week),
    Role("manhattan", "2027-04-21 09:00", "2027-04-26 14:00", scenes.thinks_of_death),
    Role("manhattan", "2027-04-28 13:00", "2027-05-03 15:30", scenes.adverse_event),
    Role("manhattan", "2027-04-08 10:00", "2027-04-12 10:00", scenes.to_decide, Way.REMITS),
    Role("manhattan", "2027-04-07 10:00", "2027-04-12 11:00", scenes.score_missing, Way.IMPROVES),
    Role("manhattan", "2027-03-18 10:00", "2027-03-22 09:00", scenes.stopped, Way.STAYS_ILL),
    Role("manhattan", "2027-04-29 09:00", "2027-05-06 09:30", scenes.known_ideation, ideation=1),
    Role("manhattan", "2027-05-06 09:00", "2027-05-10 14:30", scenes.dies_in_the_ehr),
    # Manhattan, TMS
    Role("manhattan", "2027-04-08 09:00", "2027-04-13 12:20", scenes.in_dtms, Way.REMITS),
    Role("manhattan", "2027-04-02 09:00", "2027-04-09 13:20", scenes.threshold_missing),
    Role("manhattan", "2027-03-29 09:00", "2027-04-01 08:30", scenes.dtms_over, Way.REMITS),
    Role("manhattan", "2027-04-08 12:00", "2027-04-12 08:00", scenes.cut_short, Way.REMITS),
    # Manhattan, maintenance
    Role("manhattan", "2027-03-04 09:00", "2027-03-08 10:30", scenes.in_maintenance, Way.REMITS),
    Role("manhattan", "2026-12-28 09:00", "2027-01-04 13:00", scenes.in_maintenance, Way.REMITS),
    Role("manhattan", "2026-12-07 09:00", "2026-12-10 09:00", scenes.completed, Way.REMITS),
    # Phoenix
    Role("phoenix", "2027-04-26 09:00", "2027-04-29 09:30", scenes.in_induction),
    Role("phoenix", "2027-05-10 09:00", "2027-05-12 10:00", scenes.given_against_a_stop),
    Role("phoenix", "2027-05-03 09:00", "2027-05-06 09:00", scenes.put_right_afterwards),
    Role("phoenix", "2027-05-05 10:00", "2027-05-10 09:00", scenes.left_against_advice),
    Role("phoenix", "2027-05-03 10:00", "2027-05-05 08:00", scenes.to_emergency),
    Role("phoenix", "2027-04-29 13:00", "2027-05-04 09:00", scenes.late_score),
    Role("phoenix", "2027-04-12 09:00", "2027-04-14 11:00", scenes.next_order_missing, Way.REMITS),
)


@dataclass(frozen=True)
class Part:
    """A role, and the made-up person who plays it."""

    role: Role
    mrn: str
    born: str
    given: str
    family: str
    patient: SyntheticPatient

    def resource(self) -> dict[str, object]:
        """As the hospital's front desk registers them."""
        return {
            "resourceType": "Patient",
            "active": True,
            "identifier": [{"system": "urn:kairos:demo:mrn", "value": self.mrn}],
            "name": [{"family": self.family, "given": [self.given]}],
            "gender": "unknown",
            "birthDate": self.born,
        }


def cast(seed: int) -> tuple[Part, ...]:
    """Give each role to a person. The same seed gives the same people."""
    chance = Random(seed)
    parts = []
    for number, role in enumerate(ROLES, start=1):
        mrn = f"ST-{number:04}"
        patient = SyntheticPatient(
            f"{seed}/{mrn}",
            chance.randint(28, 39),
            role.way,
            role.ideation,
            systolic=chance.randint(108, 126),
            diastolic=chance.randint(66, 80),
            threshold=chance.randint(44, 62),
        )
        born = f"{chance.randint(1958, 2001)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        given, family = chance.choice(GIVEN), chance.choice(FAMILY)
        parts.append(Part(role, mrn, born, given, family, patient))
    return tuple(parts)
