"""What the staff do at one visit: readings, dose, two hours of observation, stimulations.

Talks to the API as clients do and says aloud what happened. Times are clinical time.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.agenda import Agenda
from demo.patients import SyntheticPatient, Vitals
from demo.staff import Staff, TurnedAwayError

Tell = Callable[[str], None]
Now = Callable[[], Awaitable[datetime]]

MINUTE = timedelta(minutes=1)
STIMULATION = timedelta(minutes=20)
INTENSITY = 120
"""Percent of motor threshold."""


@dataclass
class AtVisit:
    """One patient at one visit, and everybody who is there."""

    staff: Staff
    path: str  # of the pathway
    visit: str
    name: str  # for people
    agenda: Agenda
    now: Now
    patient: SyntheticPatient
    zone: ZoneInfo

    async def today(self) -> date:
        """The clinic's day."""
        return (await self.now()).astimezone(self.zone).date()

    async def check_in(self) -> None:
        await self.staff.care_manager.do(f"{self.path}/visits/{self.visit}/check-in")

    async def measure(self, *readings: dict[str, Any], by: str = "nurse") -> None:
        person = getattr(self.staff, by)
        body = {"visit": self.visit, "measured_at": await self._at(), "readings": list(readings)}
        await person.do(f"{self.path}/readings", body)

    async def assess(self, scale: str, *items: int) -> None:
        """Record a scale, item by item."""
        body = {"scale": scale, "assessed_at": await self._at(), "items": list(items)}
        await self.staff.nurse.do(f"{self.path}/assessments", body)

    async def dose(self, mg: int) -> datetime:
        """Give and record a dose; say when its first device was."""
        first_device = await self.now()
        body = {
            "visit": self.visit,
            "first_device_at": first_device.isoformat(),
            "mg": mg,
            "lot": "SYN-2027-A",
        }
        await self.staff.nurse.do(f"{self.path}/doses", body)
        return first_device

    async def observe_and_release(self, first_device: datetime, session: int) -> None:
        """Observe for two hours with the readings at 40 minutes, then release."""
        await self.at_40_minutes(first_device, session)
        await self.agenda.until(first_device + 121 * MINUTE)
        await self.measure(
            *observed(self.patient.after_two_hours(await self.today())),
            answer("respiratory_depression", "absent"),
            answer("clinically_stable", "confirmed"),
        )
        await self.release()

    async def at_40_minutes(self, first_device: datetime, session: int) -> None:
        """Take the readings at the peak."""
        await self.agenda.until(first_device + 40 * MINUTE)
        await self.measure(*observed(self.patient.after_40_minutes(await self.today(), session)))

    async def release(self) -> None:
        await self.staff.nurse.do(f"{self.path}/visits/{self.visit}/release")

    async def leave_well(self) -> None:
        """See that the patient is stable after the day's stimulations, and let them go."""
        await self.measure(answer("clinically_stable", "confirmed"))
        await self.release()

    async def override(self, gate: str, reason: str) -> None:
        """Let a held gate pass, as the prescriber, with a reason."""
        body = {"visit": self.visit, "gate": gate, "reason": reason}
        await self.staff.prescriber.do(f"{self.path}/overrides", body)

    async def correct_pressure(
        self, reason: str, systolic: int, diastolic: int, saturation: int
    ) -> None:
        """Mark this visit's first blood pressure as entered in error, and say what was so."""
        entries = (await self.staff.nurse.see(f"{self.path}/timeline", limit="200"))["items"]
        wrong = next(
            each
            for each in entries
            if each["fact"].get("visit") == self.visit and "systolic_bp" in str(each["fact"])
        )
        body = {
            "event": wrong["id"],
            "reason": reason,
            "readings": {
                "measured_at": wrong["at"],
                "visit": self.visit,
                "readings": [*blood_pressure(systolic, diastolic), spo2(saturation)],
            },
        }
        await self.staff.nurse.do(f"{self.path}/corrections", body)

    async def stimulate(self) -> datetime:
        """Give and record one stimulation; say when it ended."""
        await self.measure(
            answer("fit_to_stimulate", "confirmed"),
            answer("hearing_protection", "worn"),
            by="operator",
        )
        threshold = self.patient.motor_threshold(await self.today())
        started = await self.now()
        await self.agenda.until(started + STIMULATION)
        body = {
            "visit": self.visit,
            "started_at": started.isoformat(),
            "ended_at": (ended := started + STIMULATION).isoformat(),
            "pulses": 1980,
            "intensity_percent_mt": INTENSITY,
            "output_percent": threshold * INTENSITY // 100,
        }
        await self.staff.operator.do(f"{self.path}/stimulations", body)
        return ended

    async def _at(self) -> str:
        return (await self.now()).isoformat()


async def turned_away(attempt: Awaitable[object]) -> TurnedAwayError:
    """Do something that must be refused; fail if it is not."""
    try:
        await attempt
    except TurnedAwayError as refused:
        return refused
    message = "the story expected a refusal, but the request was accepted"
    raise AssertionError(message)


def blood_pressure(systolic: int, diastolic: int) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"observation": "systolic_bp", "value": systolic, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": diastolic, "unit": "mmHg"},
    )


def at_rest(found: Vitals) -> tuple[dict[str, Any], ...]:
    """Blood pressure and oxygen saturation, before a dose."""
    return (*blood_pressure(found.systolic, found.diastolic), spo2(found.spo2))


def observed(found: Vitals) -> tuple[dict[str, Any], ...]:
    """All that is read while a patient is observed."""
    return (*at_rest(found), sedation(found.sedation), dissociation(found.dissociation))


def spo2(percent: int) -> dict[str, Any]:
    return {"observation": "spo2", "value": percent, "unit": "%"}


def sedation(score: int) -> dict[str, Any]:
    """MOAA/S, 5 alert to 0."""
    return {"observation": "sedation_moaas", "value": score, "unit": "points"}


def dissociation(score: int) -> dict[str, Any]:
    """CADSS total."""
    return {"observation": "dissociation_cadss", "value": score, "unit": "points"}


def motor_threshold(percent: int) -> dict[str, Any]:
    """Percent of maximum stimulator output."""
    return {"observation": "motor_threshold", "value": percent, "unit": "% of maximum output"}


def answer(observation: str, given: str) -> dict[str, Any]:
    return {"observation": observation, "answer": given}
