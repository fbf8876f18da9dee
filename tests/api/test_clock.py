"""The clinic's clock: shown to all, moved on in a rehearsal only, never past what is due."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from domain.language.errors import Unavailable
from temporal.clock import ASK_AGAIN, DatabaseTime, MovableClock, SystemClock
from tests.api.service import MONDAY, Service
from workflows.messages import Turn


@pytest.fixture
def movable(service: Service, tmp_path: Path) -> MovableClock:
    """The service on a clock that can be moved, by the machine's time of that Monday."""
    clock = MovableClock(tmp_path / "clock.json", lambda: MONDAY)
    deps = service.app.state.dependencies
    service.app.state.dependencies = replace(deps, clock=clock, movable=clock)
    service.gateway._turns._clock = clock
    return clock


async def move(service: Service, to: datetime, role: str = "operations") -> httpx2.Response:
    """Ask for a time."""
    token = service.issuer.token("somebody", [role], ["manhattan"])
    headers = {"Authorization": f"Bearer {token}"}
    return await service.http.put("/v1/clock", headers=headers, json={"now": to.isoformat()})


async def test_an_ordinary_clock_is_not_moved(service: Service):
    """On the machine's clock a move is refused, and whoever asks is told that it cannot be."""
    answer = await move(service, MONDAY + timedelta(hours=1))
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:kairos:problem:clock-not-movable",
    )
    said = (await service.nurse.get("/v1/clock")).json()
    assert said == {"now": "2027-03-01T13:00:00Z", "movable": False}


async def test_a_clock_is_moved_by_operations_only(service: Service, movable: MovableClock):
    """Nobody who treats can move it."""
    for role in ("nurse", "prescriber", "care-manager", "integrator", "auditor"):
        assert (await move(service, MONDAY + timedelta(hours=1), role)).status_code == 403
    assert await movable.now() == MONDAY


async def test_a_clock_is_never_moved_back(service: Service, movable: MovableClock):
    """What was recorded stays where it is in time; the same time again changes nothing."""
    later = MONDAY + timedelta(hours=1)
    assert (await move(service, later)).json()["now"] == "2027-03-01T14:00:00Z"
    assert (await move(service, MONDAY)).status_code == 422
    assert (await move(service, later)).status_code == 200
    assert await movable.now() == later


@pytest.mark.parametrize("now", ["2027-03-01T15:00:00", "tomorrow", None])
async def test_a_time_without_its_zone_is_refused(
    service: Service, movable: MovableClock, now: str | None
):
    """A time is taken with its offset from UTC only, and the answer says so."""
    token = service.issuer.token("somebody", ["operations"], ["manhattan"])
    headers = {"Authorization": f"Bearer {token}"}
    answer = await service.http.put("/v1/clock", headers=headers, json={"now": now})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/now")


async def test_what_is_due_on_the_way_is_done_at_its_time(service: Service, movable: MovableClock):
    """A day that is skipped leaves what a day that was lived does, its tasks opened in time."""
    address = await service.started()
    await service.prescriber.post(f"{address}/orders", {"phase": "esketamine-induction"})
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
    await service.manager.post(f"{address}/visits/{visit}/booking")
    assert (await move(service, MONDAY + timedelta(days=1))).json()["now"] == "2027-03-02T13:00:00Z"
    tasks = (await service.nurse.get(address)).json()["tasks"]
    (overdue,) = [task for task in tasks if task["rule"] == "visit-overdue"]
    opened = datetime.fromisoformat(overdue["opened"])
    starts = MONDAY + timedelta(hours=1)  # 09:00 in New York
    assert timedelta(minutes=30) <= opened - starts <= timedelta(minutes=31, seconds=1)


async def test_a_clock_stops_where_nobody_does_what_is_due(
    service: Service, movable: MovableClock, monkeypatch: pytest.MonkeyPatch
):
    """Without a worker it stands at what is due, says which pathway, and goes on later."""
    monkeypatch.setattr("api.commands.moving.FOLLOW_WITHIN", timedelta(milliseconds=50))
    address = await service.started()
    service.gateway.away = True
    to = MONDAY + timedelta(days=3)
    answer = await move(service, to)
    assert answer.status_code == 503
    assert address.rpartition("/")[2] in answer.json()["detail"]
    assert await movable.now() < to
    service.gateway.away = False
    assert (await move(service, to)).json()["now"] == "2027-03-04T13:00:00Z"


async def test_people_click_while_the_clock_is_moved(service: Service, movable: MovableClock):
    """Two weeks pass in one move while holds are placed and lifted; each is taken, in order."""
    address = await service.started()
    moving = asyncio.create_task(move(service, MONDAY + timedelta(weeks=2)))
    for _ in range(10):
        placed = await service.nurse.post(
            f"{address}/holds", {"reason": "supply", "note": "none left"}
        )
        assert placed.status_code == 201
        holds = (await service.nurse.get(address)).json()["holds"]
        hold = next(each["id"] for each in holds if not each["lifted"])
        lifted = await service.prescriber.post(
            f"{address}/holds/{hold}/lift", {"reason": "it has come"}
        )
        assert lifted.status_code == 201
    answer = await moving
    while datetime.fromisoformat(answer.json()["now"]) < MONDAY + timedelta(weeks=2):
        answer = await move(service, MONDAY + timedelta(weeks=2))
    events = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    assert [each["at"] for each in events] == sorted(each["at"] for each in events)
    taken = await service.gateway._turns.take_turn(Turn(address.rpartition("/")[2], None))
    assert taken.due is not None
    assert taken.due > await movable.now()


def test_two_moves_at_once_both_have_their_way(tmp_path: Path):
    """The later instant stands, in whichever order they come; a fresh process reads the same."""
    file = tmp_path / "clock.json"
    one, other = MovableClock(file, lambda: MONDAY), MovableClock(file, lambda: MONDAY)
    later, sooner = MONDAY + timedelta(days=9), MONDAY + timedelta(days=2)
    assert one.move_to(later) == later
    assert other.move_to(sooner) == later
    assert asyncio.run(MovableClock(file, lambda: MONDAY).now()) == later
    assert asyncio.run(MovableClock(file, lambda: MONDAY).pace()) == MONDAY


async def test_a_move_of_more_than_a_year_is_a_slip(service: Service, movable: MovableClock):
    """2072 for 2027 is refused: nothing moves a clock back."""
    answer = await move(service, MONDAY.replace(year=2072))
    assert (answer.status_code, await movable.now()) == (422, MONDAY)


async def test_after_a_move_every_pathway_sets_its_timer_anew(
    service: Service, movable: MovableClock, monkeypatch: pytest.MonkeyPatch
):
    """Also one that was not due on the way: its timer was set by how long it was before."""
    address = await service.started()
    looked: list[str] = []

    async def note(pathway_id: str) -> None:
        looked.append(pathway_id)

    monkeypatch.setattr(service.gateway, "look", note)
    assert (await move(service, MONDAY + timedelta(minutes=5))).status_code == 200
    assert looked == [address.rpartition("/")[2]]


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", "{}", '{"ahead_seconds": -5}', '{"ahead_seconds": "x"}', "NaN"]
)
def test_a_clock_file_that_says_nothing_is_no_clock(tmp_path: Path, kept: str):
    """It is unavailable by name, and never taken for real time or for a time before."""
    file = tmp_path / "clock.json"
    file.write_text(kept)
    with pytest.raises(Unavailable, match=r"clock\.json"):
        asyncio.run(MovableClock(file, lambda: MONDAY).now())


class _ADatabase:
    """Says its time, or is away; and what runs on beside it."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0
        self.run = 0.0

    async def time(self) -> datetime:
        """Its time: real time runs on there as it does here."""
        self.asked += 1
        if self.away:
            raise Unavailable("the database is not reachable")
        return MONDAY + timedelta(seconds=self.run)

    def elapsed(self) -> float:
        """Seconds, by a clock that nobody sets."""
        return self.run


async def test_writes_are_paced_by_the_databases_clock(tmp_path: Path):
    """Whatever a machine's clock says: with a moved clinic too, and asked now and then only."""
    there = _ADatabase()
    pace = DatabaseTime(there.time, there.elapsed)
    wrong = MovableClock(tmp_path / "clock.json", lambda: MONDAY + timedelta(hours=3), pace)
    wrong.move_to(MONDAY + timedelta(days=40))
    for clock in (wrong, SystemClock(pace)):
        assert await clock.pace() == MONDAY + timedelta(seconds=there.run)
    for _ in range(10):
        there.run += 1.5
        assert await wrong.pace() == MONDAY + timedelta(seconds=there.run)
    assert there.asked == 1
    there.run += ASK_AGAIN
    assert await wrong.pace() == MONDAY + timedelta(seconds=there.run)
    assert there.asked == 2


async def test_while_the_database_is_away_its_last_answer_is_counted_on(tmp_path: Path):
    """One that never answered gives no time at all: nothing is sent by a guess."""
    there = _ADatabase()
    there.away = True
    pace = DatabaseTime(there.time, there.elapsed)
    with pytest.raises(Unavailable):
        await pace()
    there.away = False
    assert await pace() == MONDAY
    there.away, there.run = True, 4000.0
    assert await pace() == MONDAY + timedelta(seconds=4000)


async def test_the_database_says_its_time(service: Service):
    """As the server has it, with its offset."""
    before = datetime.now(UTC)
    said = await service.database.time()
    assert abs(said - before) < timedelta(minutes=1)
