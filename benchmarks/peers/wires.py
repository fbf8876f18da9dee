"""A wire to the EHR that loses answers at a steady rate, and may hide conditional create."""

import json

import h11

from clinic import FaultProxy
from clinic.fault_proxy import Fault, Message


class LossyWire(FaultProxy):
    """Loses the answer to each `nth` POST of an Observation, after the EHR has written.

    Without `conditional` the EHR behind it is one that has no conditional create: it advertises
    none, and gets no If-None-Exist.
    """

    def __init__(self, nth: int, *, conditional: bool) -> None:
        super().__init__()
        self._nth = nth
        self._conditional = conditional
        self._posts = 0

    def begin(self) -> None:
        """Count from the start, so that each client loses the same answers."""
        self._posts = 0
        self.calls.clear()

    def _take_fault(self, method: str, path: str) -> Fault | None:
        if method == "POST" and path == "/fhir/Observation":
            self._posts += 1
            if self._posts % self._nth == 0:
                return Fault("drop", method, path)
        return super()._take_fault(method, path)

    async def _ask_ehr(self, request: h11.Request, body: bytes) -> Message:
        if self._conditional:
            return await super()._ask_ehr(request, body)
        headers = [pair for pair in request.headers if pair[0] != b"if-none-exist"]
        asked = h11.Request(method=request.method, target=request.target, headers=headers)
        answer = await super()._ask_ehr(asked, body)
        if request.target.partition(b"?")[0] == b"/fhir/metadata":
            return answer._replace(body=_without_conditional_create(answer.body))
        return answer


def _without_conditional_create(statement: bytes) -> bytes:
    said = json.loads(statement)
    for rest in said["rest"]:
        for resource in rest["resource"]:
            resource.pop("conditionalCreate", None)
    return json.dumps(said).encode()
