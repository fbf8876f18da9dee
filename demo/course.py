"""One synthetic patient's way through the combined pathway, as the staff live it.

Each part asks the API what is there and acts on it; nothing about the protocol is known here
but what a visit of each kind takes.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.agenda import Agenda
from demo.staff import Staff
from demo.visits import (
    MINUTE,
    AtVisit,
    Now,
    Tell,
    answer,
    blood_pressure,
    motor_threshold,
    spo2,
)

ZONE = ZoneInfo("America/New_York")
PROTOCOL = "esketamine-then-dtms"
THRESHOLD = 52


@dataclass
class Course:
    """A patient on a pathway, seen by the staff."""

    staff: Staff
    agenda: Agenda
    now: Now
    tell: Tell
    path: str = ""
    phase: str = "enrolment"
    arrivals: int = 0
    """Visits of this phase at which the patient was awaited."""
    visits_done: list[str] = field(default_factory=list)
    first_dose: datetime | None = None
    last_phq9: tuple[int, ...] = ()
    offset: timedelta | None = None
    """The zone's offset from UTC at the last visit, to notice a clock change."""

    async def enrol(self, mrn: str, day: str, hour: str) -> None:
        """Find the patient in the EHR and start the pathway."""
        found = await self.staff.care_manager.see("/v1/sites/manhattan/patients", identifier=mrn)
        body = {
            "site": "manhattan",
            "patient": found["items"][0]["id"],
            "protocol": PROTOCOL,
            "first_visit": {"day": day, "hour": hour},
        }
        started = await self.staff.care_manager.do("/v1/pathways", body)
        self.path = started["pathway"]
        self.tell("enrolled from the EHR; pathway started")

    async def pathway(self) -> dict[str, Any]:
        """The pathway as it is now."""
        seen: dict[str, Any] = await self.staff.care_manager.see(self.path)
        return seen

    async def sign_and_book(self, phase: str) -> None:
        """Sign the phase's order as its prescriber, then book what is proposed."""
        await self.staff.prescriber.do(f"{self.path}/orders", {"phase": phase})
        self.phase, self.arrivals = phase, 0
        self.tell("order signed")
        await self.book()

    async def book(self) -> int:
        """Book every proposed visit at its proposed time."""
        proposed = await self.visits("proposed")
        for visit in proposed:
            await self.staff.care_manager.do(f"{self.path}/visits/{visit['id']}/booking")
        if proposed:
            self.tell(f"{len(proposed)} visits booked, from {proposed[0]['at']['day']}")
        return len(proposed)

    async def visits(self, status: str) -> list[dict[str, Any]]:
        """The pathway's visits of one status, by their time."""
        seen = await self.staff.care_manager.see(f"{self.path}/visits")
        return [visit for visit in seen["items"] if visit["status"] == status]

    async def arrive(self) -> AtVisit | None:
        """Wait for the next booked visit's start. None if no visit is booked."""
        booked = await self.visits("booked")
        if not booked:
            return None
        visit = booked[0]
        hour = datetime.fromisoformat(f"{visit['at']['day']}T{visit['at']['hour']}")
        starts = hour.replace(tzinfo=ZONE)
        await self.agenda.until(starts)
        await self.now()
        if self.offset is not None and starts.utcoffset() != self.offset:
            utc = starts.astimezone(UTC)
            self.tell(
                f"the clocks changed; the visit keeps its hour, {hour:%H:%M}, now {utc:%H:%M} UTC"
            )
        self.offset = starts.utcoffset()
        self.arrivals += 1
        name = f"visit {self.arrivals}"
        return AtVisit(self.staff, self.path, visit["id"], name, self.agenda, self.now)

    async def prepare_for_dose(self, at: AtVisit, systolic: int, diastolic: int) -> None:
        """Check in, screen where it was not done, and take the readings before the dose."""
        await at.check_in()
        if not self.visits_done:
            await at.measure(answer("rems_enrolment", "confirmed"))
            await at.measure(answer("esketamine_contraindication", "none found"), by="prescriber")
        self.last_phq9 = self.phq9()
        await at.assess("phq9", *self.last_phq9)
        await at.measure(*blood_pressure(systolic, diastolic), spo2(98))
        await at.measure(answer("ride_home", "arranged"))

    async def dose_visit(self, at: AtVisit, mg: int) -> None:
        """An ordinary esketamine visit."""
        await self.prepare_for_dose(at, 128, 82)
        first_device = await at.dose(mg)
        self.first_dose = self.first_dose or first_device
        await at.observe_and_release(first_device)
        self.visits_done.append(at.visit)

    async def stimulation_visit(self, at: AtVisit, sessions: int = 5) -> None:
        """A day of stimulations with their gaps."""
        await self.prepare_for_stimulation(at)
        for number in range(sessions):
            ended = await at.stimulate()
            if number + 1 < sessions:
                await self.agenda.until(ended + 50 * MINUTE)
        await at.leave_well()
        self.visits_done.append(at.visit)

    async def prepare_for_stimulation(self, at: AtVisit) -> None:
        """Check in and take what is needed before the day's first stimulation."""
        await at.check_in()
        await at.measure(answer("tms_contraindication", "none found"), by="prescriber")
        await at.measure(motor_threshold(THRESHOLD), by="prescriber")
        await at.measure(answer("tms_day_check", "clear"), by="operator")
        self.last_phq9 = self.phq9()
        await at.assess("phq9", *self.last_phq9)

    async def decide(self, phase: str, decision: str, reason: str) -> None:
        """Decide as the prescriber."""
        body = {"phase": phase, "decision": decision, "reason": reason}
        await self.staff.prescriber.do(f"{self.path}/decisions", body)
        self.tell(f"{decision}, decided by {self.staff.prescriber.title}: {reason}")
        if decision in {"stop", "complete"}:
            self.phase = "ended"

    async def four_weeks(self) -> None:
        """Wait until benefit is judged, four weeks after the first dose."""
        if self.first_dose is not None:
            await self.agenda.until(self.first_dose + timedelta(weeks=4))
            await self.now()
            self.tell("four weeks since the first dose: is there benefit?")

    async def madrs(self, *items: int) -> None:
        """Record MADRS outside a visit."""
        at = AtVisit(self.staff, self.path, "", "", self.agenda, self.now)
        await at.assess("madrs", *items)
        self.tell(f"MADRS {sum(items)}")

    def scored(self) -> str:
        """What was scored at the visit that was the last one."""
        threshold = f", motor threshold {THRESHOLD} %" if self.phase == "accelerated-dtms" else ""
        return f"PHQ-9 {sum(self.last_phq9)}{threshold}"

    def phq9(self) -> tuple[int, ...]:
        """PHQ-9 items that fall as visits go by; item 9 stays 0."""
        score = max(0, 2 - len(self.visits_done) // 4)
        return (score,) * 8 + (0,)


async def virtual_days(since: datetime, now: Now) -> int:
    """Whole days of clinical time since an instant."""
    return (await now() - since) // timedelta(days=1)
