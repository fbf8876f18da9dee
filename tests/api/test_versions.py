"""Moving open pathways to another version of their protocol: looked at first, then one act."""

from dataclasses import replace
from typing import Any

from api.dependencies import Dependencies
from domain.language.protocol import Status
from tests.api.service import Service, Staff, book, patient
from tests.api.test_bad_days import screened

WHY = "the alert limits are lower from today on"


def _approved(service: Service) -> None:
    """Give the clinic a second version, with another dose, and a draft of a third."""
    first = service.protocol
    induction, *rest = first.phases
    assert induction.dose is not None
    dose = replace(induction.dose, first_mg=84)
    second = replace(
        first,
        version=first.version + 1,
        sha256="b" * 64,
        phases=(replace(induction, version=induction.version + 1, dose=dose), *rest),
    )
    third = replace(second, version=first.version + 2, sha256="c" * 64, status=Status.DRAFT)
    known: Dependencies = service.app.state.dependencies
    service.app.state.dependencies = replace(known, protocols=book(first, second, third))


def _director(service: Service, **more: Any) -> Staff:
    return service.staff("medical-director", **more)


def _moves(service: Service, ahead: int = 1) -> str:
    return f"/v1/protocols/{service.protocol.id}/versions/{service.protocol.version + ahead}/moves"


async def _two(service: Service) -> tuple[str, str]:
    """A patient whose order is signed and who is here, and one for whom nothing is signed."""
    here, _ = await screened(service, 128)
    service.ehr.patients["patient-2"] = patient("patient-2")
    begun = await service.started(patient="patient-2")
    _approved(service)
    return here, begun


async def _version(service: Service, address: str) -> int:
    """How many versions later than the first a pathway is on."""
    seen = (await service.nurse.get(address)).json()
    return int(seen["protocol"]["version"]) - service.protocol.version


def _id(address: str) -> str:
    return address.rpartition("/")[2]


async def test_looking_says_what_would_change_and_for_whom(service: Service):
    """Each open pathway of the other version, and why one cannot move; looking moves none."""
    here, begun = await _two(service)
    answer = await _director(service).get(_moves(service))
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    (change,) = seen["changes"]
    assert [line for line in change["says"] if line.endswith("dose.first_mg: 56, now 84")]
    found = {each["pathway"]: each for each in seen["pathways"]}
    assert found[_id(begun)]["can_move"]
    assert not found[_id(here)]["can_move"]
    assert len(found[_id(here)]["why_not"]) == 2
    assert await _version(service, begun) == 0


async def test_one_act_moves_who_can_and_names_who_is_left(service: Service):
    """202 with the list; the one is moved with its trail, the other says why and stays."""
    here, begun = await _two(service)
    answer = await _director(service).post(_moves(service), {"reason": WHY})
    assert answer.status_code == 202, answer.text
    found = {each["pathway"]: each for each in answer.json()["pathways"]}
    assert found[_id(here)]["command"] is None
    command = found[_id(begun)]["command"]
    await service.gateway.send(_id(begun), command)
    assert (await _version(service, begun), await _version(service, here)) == (1, 0)
    items = (await service.nurse.get(f"{begun}/timeline", limit=200)).json()["items"]
    (event,) = [each for each in items if each["kind"] == "protocol-changed"]
    assert event["by"]["role"] == "medical-director"
    left = (await _director(service).get(_moves(service))).json()["pathways"]
    assert [each["pathway"] for each in left] == [_id(here)]


async def test_the_same_request_moves_once(service: Service):
    """Sent twice with one key it keeps one command for each pathway."""
    _, begun = await _two(service)
    director = _director(service)
    commands = set()
    for _ in range(2):
        answer = await director.post(_moves(service), {"reason": WHY}, key="move-1")
        found = {each["pathway"]: each for each in answer.json()["pathways"]}
        commands.add(found[_id(begun)]["command"])
    assert len(commands) == 1


async def test_only_those_named_are_moved(service: Service):
    """A pathway not named stays; one that is not there is refused, and then none moves."""
    _, begun = await _two(service)
    director = _director(service)
    body = {"reason": WHY, "pathways": [_id(begun), "7d1f7c5e-1111-4222-8333-444455556666"]}
    assert (await director.post(_moves(service), body)).status_code == 422
    answer = await director.post(_moves(service), {"reason": WHY, "pathways": []})
    assert all(each["command"] is None for each in answer.json()["pathways"])
    listed = (await director.get(_moves(service))).json()["pathways"]
    assert _id(begun) in [each["pathway"] for each in listed]


async def test_one_pathway_is_moved_by_itself(service: Service):
    """The command on a pathway does the same, and says what stands in the way of another."""
    here, begun = await _two(service)
    body = {"version": service.protocol.version + 1, "reason": WHY}
    answer = await _director(service).post(f"{begun}/protocol", body)
    assert answer.status_code == 201, answer.text
    refused = await _director(service).post(f"{here}/protocol", body)
    assert refused.status_code == 409, refused.text
    rules = [block["rule"] for block in refused.json()["blocked_by"]]
    assert rules == ["visit-open", "order-signed"]


async def test_a_version_that_nobody_signed_takes_nobody(service: Service):
    """A draft and a version that is not there are refused, by either way."""
    _, begun = await _two(service)
    director = _director(service)
    for ahead, statuses in ((2, (422, 422)), (7, (404, 422))):
        answers = (
            await director.post(_moves(service, ahead), {"reason": WHY}),
            await director.post(
                f"{begun}/protocol", {"version": service.protocol.version + ahead, "reason": WHY}
            ),
        )
        assert tuple(each.status_code for each in answers) == statuses, [a.text for a in answers]


async def test_nobody_else_moves_and_no_other_site_is_seen(service: Service):
    """A nurse is forbidden; a director of another site sees and moves none of these."""
    await _two(service)
    assert (await service.nurse.post(_moves(service), {"reason": WHY})).status_code == 403
    elsewhere = _director(service, sites=("elsewhere",), name="director-9")
    answer = await elsewhere.get(_moves(service))
    assert answer.json().get("pathways", []) == []
