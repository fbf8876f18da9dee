"""Writes to an EHR that loses answers, strips our mark, shows late or gives no versions.

A cell is how the EHR is, a seed what is lost and how time goes. What the EHR holds is counted in
its own store: never two of anything, and one of each once a person has said what they see there.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from domain.delivery.resolve import Accept, NotThere, Retry, ThisOne
from domain.delivery.words import Action, DeliveryState, Intent
from fhir_adapters.content import identifiers
from store.ehr_tables import DeliveryRow
from tests.activities.hurt import PATIENT, Answer, Lane, change, provenance, reading, visit
from tests.fhir_adapters.fhir_story import statement

EVERY_KEY = ("identifier", "patient", "code", "date", "target")
KEYS = {
    "condition and identifier": EVERY_KEY,
    "identifier": EVERY_KEY,
    "content": ("patient", "code", "date"),
    "nothing": (),
    "identifier, and strips it": EVERY_KEY,
}
"""What can be searched for. With the first alone a create may be conditional."""

INNER = "https://inner.example/fhir"
ROUNDS = 80


@dataclass(frozen=True)
class Cell:
    """How an EHR is: what finds a write, how late, how many answers are lost one after the other.

    `late` statuses come in place of the first answer to each write, which was done. An `inner` one
    writes its own address into references, which the connection knows.
    """

    key: str
    lost: int = 1
    lag: int = 0  # seconds
    versions: bool = True
    late: int | None = None
    inner: bool = False

    def __str__(self) -> str:
        """How it stands in a table."""
        parts = [self.key, f"{self.lost} lost"]
        parts += [f"{self.lag} s late"] if self.lag else []
        parts += [] if self.versions else ["no versions"]
        parts += [f"{self.late} after it was done"] if self.late else []
        parts += ["own address in references"] if self.inner else []
        return ", ".join(parts)

    @property
    def said(self) -> dict[str, Any]:
        """Its CapabilityStatement."""
        conditional = self.key == "condition and identifier"
        return statement(conditional=conditional, search=KEYS[self.key])


@dataclass
class Told:
    """What came of a seed: writes that are there once by themselves, or by a person, or twice."""

    by_itself: int = 0
    by_a_person: int = 0
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def count(self) -> Counter[str]:
        """As figures that can be added."""
        return Counter(
            once=self.by_itself,
            person=self.by_a_person,
            twice=len(self.twice),
            wrong=len(self.wrong),
        )


class Lies:
    """What an EHR of a cell makes of what it is sent, and which answers it loses."""

    def __init__(self, cell: Cell, chance: Random) -> None:
        self.cell = cell
        self.stands: dict[str, list[str]] = defaultdict(list)  # by artefact: `Type/id`
        self._chance = chance
        self._met: set[str] = set()
        self._left = 0

    def keep(self, resource: dict[str, Any]) -> dict[str, Any]:
        """File it, without our mark if this EHR strips it."""
        for artefact in marks(resource):
            place = f"{resource['resourceType']}/{resource['id']}"
            if place not in self.stands[artefact]:
                self.stands[artefact].append(place)
        if self.cell.inner:
            text = json.dumps(resource).replace('"reference": "', f'"reference": "{INNER}/')
            resource = json.loads(text.replace(f"{INNER}/{INNER}/", f"{INNER}/"))
        if self.cell.key != "identifier, and strips it":
            return resource
        return {
            key: value for key, value in resource.items() if key not in ("identifier", "entity")
        }

    def lose(self, method: str, path: str) -> Answer | None:
        """Lose the answer to most first writes, and then to whatever comes next."""
        if path == "metadata":
            return None
        if method != "GET":
            number = sum(len(places) for places in self.stands.values())
            mark = f"{method} {path} {number}"
            if mark not in self._met and self._chance.random() < 0.7:
                self._met.add(mark)
                if self.cell.late:
                    return self.cell.late, {}, None
                self._left = self.cell.lost
        if self._left:
            self._left -= 1
            return 0, {}, None
        return None


def marks(resource: Mapping[str, Any]) -> list[str]:
    """List the artefacts that a resource is marked with."""
    entities = [entity["what"]["identifier"] for entity in resource.get("entity", [])]
    of_ours = [*resource.get("identifier", []), *entities]
    return [each["value"] for each in of_ours if each["system"] == identifiers.SYSTEM]


def dose() -> Intent:
    """A MedicationAdministration to be created."""
    body: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "identifier": [identifiers.identifier("p1/treatment/d")],
        "status": "completed",
        "medicationCodeableConcept": {"text": "esketamine 56 mg"},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": "2027-03-01T14:05:00Z",
    }
    return Intent("p1/treatment/d", "MedicationAdministration", Action.CREATE, body)


def some(chance: Random) -> list[Intent]:
    """A visit with readings, a dose that is vouched for, and changes, in an order of its own."""
    minutes = chance.sample(range(60), 3)
    readings = [
        reading(f"r{minute}", effectiveDateTime=f"2027-03-01T14:{minute:02}:00Z")
        for minute in minutes
    ]
    creates = [visit(), dose(), *readings]
    chance.shuffle(creates)
    changes = [change(visit(), status="booked"), change(visit(), status="arrived")]
    return [*creates, provenance(dose()), *changes]


async def play(lane: Lane, cell: Cell, seed: int) -> Told:
    """Play a seed on a new lane to an EHR of this cell, and count what it then holds."""
    chance = Random(f"{cell} {seed}")
    lies = Lies(cell, chance)
    lane.ehr.keep, lane.ehr.after, lane.ehr.versions = lies.keep, lies.lose, cell.versions
    lane.ehr.lag = timedelta(seconds=cell.lag)
    for number, intent in enumerate(some(chance)):
        await lane.intend(f"e{number}", intent)
        await lane.deliver(apart=chance.choice((1, 20, 70, 400)))
    told = Told()
    await _until_settled(lane, chance)
    asked = {row.id for row in await lane.rows() if _asks(row)}
    _judge(told, await lane.rows(), lies, "before a person")
    lane.ehr.after = lambda *_: None
    for _ in range(6):
        for row in await lane.rows():
            if _asks(row):
                await _decide(lane, row, lies)
        await _until_settled(lane, chance)
    rows = await lane.rows()
    _judge(told, rows, lies, "after a person")
    told.by_itself = sum(row.id not in asked for row in rows)
    told.by_a_person = len(rows) - told.by_itself
    told.wrong += [f"{row.artefact} {row.state}: {row.reason}" for row in rows if not _is_done(row)]
    return told


async def _until_settled(lane: Lane, chance: Random) -> None:
    for _ in range(ROUNDS):
        open_ = [row for row in await lane.rows() if not _is_done(row) and not _asks(row)]
        if not open_:
            return
        await lane.deliver(apart=chance.choice((60, 300, 900)))


def _asks(row: DeliveryRow) -> bool:
    return row.needs_person or row.state in ("refused", "divergent", "misfiled")


def _is_done(row: DeliveryRow) -> bool:
    return row.state in (DeliveryState.CONFIRMED, DeliveryState.SUPERSEDED)


def _judge(told: Told, rows: list[DeliveryRow], lies: Lies, when: str) -> None:
    for artefact, places in lies.stands.items():
        if len(places) > 1:
            told.twice.append(f"{artefact} stands {len(places)} times {when}")
    asked = [row for row in rows if _asks(row)]
    for row in rows:
        stands = lies.stands[row.artefact]
        if row.state == DeliveryState.REFUSED and row.action == Action.CREATE and stands:
            told.wrong.append(f"{row.artefact} stands and is called refused {when}")
        if row.state == DeliveryState.CONFIRMED and not stands:
            told.wrong.append(f"{row.artefact} is called confirmed and does not stand {when}")
        waits = any(other.artefact in (row.artefact, *row.needs) for other in asked)
        if not _is_done(row) and not _asks(row) and not waits:
            told.wrong.append(f"{row.artefact} is {row.state} and nobody is asked {when}")


async def _decide(lane: Lane, row: DeliveryRow, lies: Lies) -> None:
    """A person looks in the EHR and says what they see."""
    stands = lies.stands[row.artefact]
    if row.state == DeliveryState.DIVERGENT:
        await lane.decide(row.id, Accept("looked"))
    elif row.state != DeliveryState.UNKNOWN or row.action != Action.CREATE or row.ehr_id:
        await lane.decide(row.id, Retry("looked"))
    elif stands:
        await lane.decide(row.id, ThisOne("looked", stands[0].partition("/")[2]))
    else:
        await lane.decide(row.id, NotThere("looked"))
