"""One synthetic patient's way through the combined pathway, as the staff live it.

Each part asks the API what is there and acts on it; nothing about the protocol is known here
but what a visit of each kind takes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.agenda import Agenda
from demo.patients import SyntheticPatient
from demo.staff import Staff
from demo.visits import (
    MINUTE,
    AtVisit,
    Now,
    Tell,
    answer,
    at_rest,
    motor_threshold,
)

ZONE = ZoneInfo("America/New_York")
InTheEhr = Callable[[dict[str, Any]], Awaitable[None]]
PROTOCOL = "esketamine-then-dtms"
SITE = "manhattan"


FOR_ESKETAMINE = (
    ("depression_diagnosis", "F33.2"),
    ("esketamine_consent", "signed"),
    ("rems_enrolment", "confirmed"),
    ("rems_site", "certified"),
    ("aneurysmal_vascular_disease", "absent"),
    ("arteriovenous_malformation", "absent"),
    ("intracerebral_hemorrhage", "absent"),
    ("esketamine_hypersensitivity", "absent"),
    ("pregnancy", "excluded"),
    ("hepatic_impairment", "absent"),
    ("psychosis", "absent"),
    ("substance_use", "absent"),
    ("interacting_drugs", "absent"),
    ("insurance", "on file"),
)
FOR_TMS = (
    ("metal_near_coil", "absent"),
    ("seizure_history", "absent"),
    ("threshold_lowering_drugs", "absent"),
    ("tms_consent", "signed"),
)
EARLIER = (
    ("sertraline", "SSRI", "200 mg daily", 10, "no-response"),
    ("venlafaxine", "SNRI", "225 mg daily", 12, "partial-response"),
)
"""What is found before each treatment, and what was tried before, of a patient who may have it."""

AUTHORIZED = {
    "esketamine": {"number": "PA-7731", "units": 60, "unit": "session", "codes": ["G2083"]},
    "dtms": {"number": "PA-7732", "units": 60, "unit": "session", "codes": ["90868"]},
}
"""What this patient's payer authorized, for a year from the first day."""


@dataclass
class Course:
    """A patient on a pathway, seen by the staff."""

    staff: Staff
    agenda: Agenda
    now: Now
    tell: Tell
    patient: SyntheticPatient
    site: str = SITE
    zone: ZoneInfo = ZONE
    in_the_ehr: InTheEhr | None = None
    """Changes the patient's record at the EHR, as the hospital would; where a story needs that."""
    path: str = ""
    phase: str = "enrolment"
    arrivals: int = 0
    """Visits of this phase at which the patient was awaited."""
    visits_done: list[str] = field(default_factory=list)
    first_dose: datetime | None = None
    doses: int = 0
    """Doses given on the whole pathway."""
    treated_since: date | None = None
    last_phq9: tuple[int, ...] = ()
    last_threshold: int = 0
    screened_for_tms: bool = False
    offset: timedelta | None = None
    """The zone's offset from UTC at the last visit, to notice a clock change."""

    async def enrol(self, mrn: str, day: str, hour: str) -> None:
        """Find the patient in the EHR and start the pathway."""
        found = await self.staff.care_manager.see(f"/v1/sites/{self.site}/patients", identifier=mrn)
        body = {
            "site": self.site,
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
            many = "1 visit" if len(proposed) == 1 else f"{len(proposed)} visits"
            self.tell(f"{many} booked, from {proposed[0]['at']['day']}")
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
        starts = hour.replace(tzinfo=self.zone)
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
        return self.at_visit(visit["id"], name)

    def at_visit(self, visit: str = "", name: str = "") -> AtVisit:
        """The patient at a visit; or at none, on the telephone."""
        return AtVisit(
            self.staff, self.path, visit, name, self.agenda, self.now, self.patient, self.zone
        )

    async def prepare_for_dose(self, at: AtVisit, pressure: tuple[int, int] | None = None) -> None:
        """Check in, screen where it was not done, and take the readings before the dose."""
        await at.check_in()
        if not self.visits_done:
            await self.screen(at, *FOR_ESKETAMINE)
            await self.authorized("esketamine")
            await self.trials()
        await self.phq9(at)
        found = self.patient.before_dose(await at.today())
        if pressure is not None:
            found = replace(found, systolic=pressure[0], diastolic=pressure[1])
        await at.measure(*at_rest(found))
        await at.measure(answer("ride_home", "arranged"))

    async def screen(self, at: AtVisit, *answers: tuple[str, str]) -> None:
        """Record what must be known before a treatment, as the prescriber finds it."""
        await at.measure(*(answer(name, given) for name, given in answers), by="prescriber")

    async def authorized(self, treatment: str) -> None:
        """Record the payer's authorization of a treatment, from its letter."""
        day = (await self.now()).astimezone(self.zone).date()
        window = {"starts": day.isoformat(), "ends": (day + timedelta(days=365)).isoformat()}
        body = {"treatment": treatment, **window, **AUTHORIZED[treatment]}
        await self.staff.care_manager.do(f"{self.path}/authorizations", body)

    async def trials(self) -> None:
        """Record which drugs were tried before, from the referral."""
        for drug, kind, dose, weeks, outcome in EARLIER:
            body = {
                "drug": drug,
                "drug_class": kind,
                "dose": dose,
                "weeks": weeks,
                "outcome": outcome,
            }
            await self.staff.care_manager.do(f"{self.path}/trials", body)

    async def dose_visit(self, at: AtVisit, mg: int) -> None:
        """An ordinary esketamine visit."""
        await self.prepare_for_dose(at)
        await self.give_and_observe(at, mg)

    async def give_and_observe(self, at: AtVisit, mg: int) -> None:
        """Dose, two hours of observation, release."""
        first_device = await self.give(at, mg)
        await at.observe_and_release(first_device, self.doses)
        self.visits_done.append(at.visit)

    async def give(self, at: AtVisit, mg: int) -> datetime:
        """Give a dose; say when its first device was."""
        first_device = await at.dose(mg)
        self.doses += 1
        self.first_dose = self.first_dose or first_device
        self.treated_since = self.treated_since or await at.today()
        return first_device

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
        if not self.visits_done or not self.screened_for_tms:
            await self.screen(at, *FOR_TMS)
            await self.authorized("dtms")
            self.screened_for_tms = True
        self.last_threshold = self.patient.motor_threshold(await at.today())
        await at.measure(motor_threshold(self.last_threshold), by="prescriber")
        await at.measure(answer("tms_day_check", "clear"), by="operator")
        await self.phq9(at)

    async def decide(self, phase: str, decision: str, reason: str) -> None:
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

    async def madrs(self) -> None:
        at = self.at_visit()
        items = self.patient.madrs(await at.today(), self.treated_since)
        await at.assess("madrs", *items)
        self.tell(f"MADRS {sum(items)}")

    async def phq9(self, at: AtVisit) -> None:
        """Record PHQ-9 as the patient fills it in that day."""
        self.last_phq9 = self.patient.phq9(await at.today(), self.treated_since)
        await at.assess("phq9", *self.last_phq9)

    def scored(self) -> str:
        """What was scored at the visit that was the last one."""
        scored = f"PHQ-9 {sum(self.last_phq9)}"
        if self.phase != "accelerated-dtms":
            return scored
        return f"{scored}, motor threshold {self.last_threshold} %"


async def virtual_days(since: datetime, now: Now) -> int:
    """Whole days of clinical time since an instant."""
    return (await now() - since) // timedelta(days=1)
