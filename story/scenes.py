"""What becomes of each patient of the story: scripts that run until the hour at which it stops.

A script that would go on when the hour has come ends where it is: so some are at home, some in the
middle of a visit.
"""

from datetime import datetime, timedelta

from demo.course import FOR_ESKETAMINE, Course
from demo.visits import (
    MINUTE,
    AtVisit,
    answer,
    at_rest,
    blood_pressure,
    observed,
    turned_away,
)

INDUCTION, DTMS, MAINTENANCE = "esketamine-induction", "accelerated-dtms", "maintenance"
LOT = "SYN-2027-A"


async def asleep(course: Course) -> None:
    """Enrolled, and nobody has signed."""
    await course.madrs()


async def not_booked(course: Course) -> None:
    """Signed; the care manager has not booked."""
    await course.madrs()
    await course.staff.prescriber.do(f"{course.path}/orders", {"phase": INDUCTION})


async def in_induction(course: Course) -> None:
    """An induction that goes as it should, to wherever the hour finds it."""
    await ready(course)
    await doses(course)


async def first_day_incomplete(course: Course) -> None:
    """Here for the first dose; enrolment and contraindications were not looked at."""
    await ready(course)
    at = await visit(course)
    await at.check_in()
    await course.phq9(at)
    await at.measure(*at_rest(course.patient.before_dose(await at.today())))


async def pressure_high(course: Course) -> None:
    """Here, with a pressure above what the protocol allows."""
    await ready(course)
    await doses(course, 3)
    at = await visit(course)
    await course.prepare_for_dose(at, (152, 94))
    await turned_away(at.dose(84))


async def does_not_come(course: Course) -> None:
    """Booked for today, and not here."""
    await ready(course)
    await doses(course, 2)
    await visit(course)


async def missed_this_week(course: Course) -> None:
    """Missed a visit; another is proposed and not booked."""
    await ready(course)
    await doses(course, 4)
    at = await visit(course)
    await course.agenda.until(await course.now() + 45 * MINUTE)
    await course.staff.care_manager.do(f"{course.path}/visits/{at.visit}/miss")


async def thinks_of_death(course: Course) -> None:
    """Said by telephone last evening: more than half the days. Nobody has looked yet."""
    await ready(course)
    await doses(course, 5)
    await course.agenda.until(_at(course, "2027-05-12 18:10"))
    at = course.at_visit()
    items = course.patient.phq9(await at.today(), course.treated_since)
    await at.assess("phq9", *items[:8], 2)


async def dies_in_the_ehr(course: Course) -> None:
    """Booked for today; the hospital's record has said since noon that the patient has died."""
    await ready(course)
    await doses(course, 1)
    await course.agenda.until(_at(course, "2027-05-13 12:00"))
    if course.in_the_ehr is not None:
        await course.in_the_ehr({"deceasedBoolean": True})


async def adverse_event(course: Course) -> None:
    """A hold since Tuesday, for palpitations at home."""
    await ready(course)
    await doses(course, 3)
    await course.agenda.until(_at(course, "2027-05-11 16:20"))
    note = "Palpitations at home since Sunday; ECG ordered."
    body = {"reason": "adverse-event", "note": note}
    await course.staff.prescriber.do(f"{course.path}/holds", body)


async def to_decide(course: Course) -> None:
    """Induction is over and has helped; the prescriber is to decide."""
    await ready(course)
    await doses(course)
    await course.four_weeks()
    await course.madrs()


async def score_missing(course: Course) -> None:
    """Induction is over, and nobody has scored MADRS."""
    await ready(course)
    await doses(course)
    await course.four_weeks()


async def stopped(course: Course) -> None:
    """No benefit at four weeks: stopped by a named prescriber."""
    await to_decide(course)
    await course.decide(INDUCTION, "stop", "No benefit after eight doses; discussed at visit.")


async def in_dtms(course: Course) -> None:
    """A TMS course that goes as it should, to wherever the hour finds it."""
    await into_dtms(course)
    while at := await course.arrive():
        await course.stimulation_visit(at)


async def threshold_missing(course: Course) -> None:
    """Days of TMS, and today nobody has measured the motor threshold yet."""
    await into_dtms(course)
    for _ in range(3):
        await course.stimulation_visit(await visit(course))
    at = await visit(course)
    await at.check_in()
    await at.measure(answer("tms_day_check", "clear"), by="operator")
    await course.phq9(at)


async def cut_short(course: Course) -> None:
    """A day of TMS that ended after three stimulations, for a headache."""
    await into_dtms(course)
    await course.stimulation_visit(await visit(course))
    at = await visit(course)
    await course.prepare_for_stimulation(at)
    for _ in range(3):
        ended = await at.stimulate()
        await course.agenda.until(ended + 50 * MINUTE)
    await at.leave_well()
    while (later := await course.arrive()) is not None:
        await course.stimulation_visit(later)


async def dtms_over(course: Course) -> None:
    """All thirty sessions given; the prescriber is to decide."""
    await in_dtms(course)
    await course.madrs()


async def in_maintenance(course: Course) -> None:
    """Remitted, and in maintenance: to its review, or to wherever the hour finds it."""
    await into_maintenance(course)
    while at := await course.arrive():
        await course.dose_visit(at, 84)
        await course.book()


async def completed(course: Course) -> None:
    """Stable for twelve weeks of maintenance, and discharged."""
    await into_maintenance(course)
    entered = await course.now()
    while at := await course.arrive():
        await course.dose_visit(at, 84)
        await course.book()
        if await course.now() - entered > timedelta(weeks=12):
            break
    await course.madrs()
    await course.decide(MAINTENANCE, "complete", "In remission for twelve weeks; back to her PCP.")


async def given_against_a_stop(course: Course) -> None:
    """A dose given before anybody had looked for contraindications; nobody has signed it yet."""
    await ready(course)
    at = await visit(course)
    await at.check_in()
    known = [each for each in FOR_ESKETAMINE if each[0] != "aneurysmal_vascular_disease"]
    await course.screen(at, *known)
    await course.authorized("esketamine")
    await course.trials()
    await at.measure(answer("ride_home", "arranged"))
    await course.phq9(at)
    await at.measure(*at_rest(course.patient.before_dose(await at.today())))
    first_device = await at.now()
    body = {
        "visit": at.visit,
        "first_device_at": first_device.isoformat(),
        "mg": 56,
        "lot": LOT,
        "what_happened": "Two rooms were set up at once; the other room's screen was read.",
    }
    await course.staff.nurse.do(f"{course.path}/incidents/doses", body)
    course.doses += 1
    await at.observe_and_release(first_device, 1)


async def put_right_afterwards(course: Course) -> None:
    """A pressure that was typed wrong before the second dose: what was so asks about the dose."""
    await ready(course)
    await doses(course, 1)
    at = await visit(course)
    await course.dose_visit(at, 56)
    await course.agenda.until(await course.now() + 50 * MINUTE)
    await at.correct_pressure("read from the neighbor's monitor", 148, 93, 98)


async def left_against_advice(course: Course) -> None:
    """Left after 70 minutes, alone; the prescriber has not looked yet."""
    await ready(course)
    await doses(course, 1)
    at = await visit(course)
    await course.prepare_for_dose(at)
    first_device = await course.give(at, 56)
    await at.at_40_minutes(first_device, course.doses)
    await course.agenda.until(first_device + 70 * MINUTE)
    words = "Left after 70 minutes with a friend; did not want to wait. Told not to drive today."
    body = {"disposition": "against-advice", "words": words}
    await course.staff.nurse.do(f"{course.path}/visits/{at.visit}/release", body)


async def to_emergency(course: Course) -> None:
    """194/118 at 40 minutes, sent to the emergency department; seen by the prescriber, held."""
    await ready(course)
    await doses(course, 2)
    at = await visit(course)
    await course.prepare_for_dose(at)
    first_device = await course.give(at, 84)
    await course.agenda.until(first_device + 40 * MINUTE)
    found = observed(course.patient.after_40_minutes(await at.today(), course.doses))
    await at.measure(*blood_pressure(194, 118), *found[2:])
    await course.agenda.until(first_device + 52 * MINUTE)
    words = "Headache, 194/118 twice; taken to the emergency department by ambulance."
    body = {"disposition": "emergency-department", "words": words}
    await course.staff.nurse.do(f"{course.path}/visits/{at.visit}/release", body)
    await course.agenda.until(first_device + 58 * MINUTE)
    await acknowledge_all(course, "Called the emergency department: stable on arrival. Held.")
    body = {"reason": "adverse-event", "note": "Hypertension after 84 mg; cardiology consulted."}
    await course.staff.prescriber.do(f"{course.path}/holds", body)


async def late_score(course: Course) -> None:
    """A MADRS of the day before the first dose, entered after it: does it count?"""
    await ready(course)
    await doses(course, 1)
    first = course.first_dose
    if first is not None:
        items = course.patient.madrs(first.astimezone(course.zone).date(), None)
        body = {
            "scale": "madrs",
            "assessed_at": (first - timedelta(days=1)).isoformat(),
            "items": list(items),
        }
        await course.staff.nurse.do(f"{course.path}/assessments", body)
    await doses(course)


async def next_order_missing(course: Course) -> None:
    """Benefit confirmed, TMS decided, and its order is not signed."""
    await to_decide(course)
    await course.decide(INDUCTION, "continue", "Symptoms down by half; on to TMS as planned.")


async def known_ideation(course: Course) -> None:
    """Thinks of death now and then, as for years; decided ahead for two weeks, and treated."""
    await ready(course)
    await acknowledge_all(course, "Passive, no plan; known since March. Safety plan reviewed.")
    words = "Passive thoughts for years, no plan, no means; safety plan of 29 April, seen weekly."
    body = {"gate": "suicide-risk", "last_day": "2027-05-13", "words": words}
    await course.staff.prescriber.do(f"{course.path}/standing-decisions", body)
    await doses(course)


async def ready(course: Course) -> None:
    """Score, sign and book."""
    await course.madrs()
    await course.sign_and_book(INDUCTION)


async def doses(course: Course, up_to: int = 99) -> None:
    """Ordinary esketamine visits until so many doses were given, or none is booked any more."""
    while course.doses < up_to and (at := await course.arrive()):
        await course.dose_visit(at, 56 if course.doses < 2 else 84)  # noqa: PLR2004


async def visit(course: Course) -> AtVisit:
    """The next visit, which there is."""
    at = await course.arrive()
    if at is None:
        raise AssertionError("the story expected another visit")
    return at


async def into_dtms(course: Course) -> None:
    """Induction with benefit, then everything ready for TMS."""
    await to_decide(course)
    await course.decide(INDUCTION, "continue", "MADRS has fallen by more than half.")
    await course.sign_and_book(DTMS)


async def into_maintenance(course: Course) -> None:
    """Both courses, then everything ready for maintenance."""
    await dtms_over(course)
    await course.decide(DTMS, "continue", "Remission after thirty sessions.")
    await course.sign_and_book(MAINTENANCE)


async def acknowledge_all(course: Course, words: str) -> None:
    """Say in words, as the prescriber, what was found and decided, of all that waits for it."""
    tasks = await course.staff.prescriber.see(f"{course.path}/tasks")
    for task in tasks["items"]:
        if task["id"].startswith("review-") and not (task["acknowledged"] or task["closed"]):
            where = f"{course.path}/tasks/{task['id']}/acknowledgement"
            await course.staff.prescriber.do(where, {"words": words})


def _at(course: Course, wall: str) -> datetime:
    """A time on the clinic's wall."""
    return datetime.fromisoformat(wall).replace(tzinfo=course.zone)
