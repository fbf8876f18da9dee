"""Answers that are odd but can be read, ones that cannot, and certificates of a hospital's own."""

import asyncio
import codecs
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domain.language.names import EhrPatientId
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.failures import (
    EhrRefused,
    Garbled,
    NeverSent,
    NoAnswer,
    OutcomeUnknown,
)
from fhir_adapters.exchange.trust import Trust
from fhir_adapters.exchange.verbs import read_back
from fhir_adapters.profile.generic import GENERIC
from tests.fhir_adapters.exchange.prepared import Server

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "not-found"}],
}


@pytest.fixture
async def client(server: Server) -> AsyncIterator[EhrClient]:
    """A client of the tiny server."""
    async with EhrClient(server.base_url, GENERIC) as made:
        yield made


async def test_a_byte_order_mark_is_skipped(server: Server, client: EhrClient) -> None:
    """Some servers send one before JSON, and a reader may skip it (RFC 8259, 8.1)."""
    server.says(200, codecs.BOM_UTF8 + json.dumps(PATIENT).encode())
    assert (await client.read("Patient", "p1")).resource == PATIENT


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Patient","id":"p1","text":{"div":"\\ud83d"}}',
        b'{"resourceType":"Patient","id":"p1","name":[{"family":"a\\u0000"}]}',
        b'{"resourceType":"Patient","id":"p1","id":"p2"}',
        b"<Patient/>",
        b"",
    ],
)
async def test_what_cannot_be_believed_says_why_and_is_no_outage(
    server: Server, client: EhrClient, body: bytes
) -> None:
    """Half a character, NUL, a key twice, another format, nothing: the EHR is there anyway."""
    server.says(200, body)
    with pytest.raises(Garbled, match=r"cannot be read: .+"):
        await client.read("Patient", "p1")


def _outcome(code: str) -> bytes:
    issue = {"severity": "error", "code": code, "diagnostics": "not here"}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (501, b""),
        (505, b"HTTP version"),
        (500, _outcome("not-supported")),
        (500, _outcome("invalid")),
        (503, _outcome("business-rule")),
        (502, _outcome("security")),
    ],
)
async def test_a_refusal_with_an_outages_status_is_a_refusal(
    server: Server, client: EhrClient, status: int, body: bytes
) -> None:
    """Asked again it would say the same: nobody is told to wait until the EHR is back."""
    server.says(status, body)
    with pytest.raises(EhrRefused):
        await client.read("Patient", "p1")
    with pytest.raises(EhrRefused):
        await client.search("Patient", [("identifier", "urn:mrn|1")])


@pytest.mark.parametrize("body", [b"", b"<html/>", _outcome("exception"), _outcome("transient")])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_that_fails_gave_no_answer(
    server: Server, client: EhrClient, status: int, body: bytes
) -> None:
    """That is an outage: asked again it may answer."""
    server.says(status, body)
    with pytest.raises(NoAnswer) as told:
        await client.read("Patient", "p1")
    assert not isinstance(told.value, Garbled)


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 207])
async def test_success_without_what_was_asked_for_is_no_outage(
    server: Server, client: EhrClient, status: int
) -> None:
    """The EHR is there, and says what is no answer to a read."""
    server.says(status, b"")
    with pytest.raises(Garbled, match=rf"answered {status}"):
        await client.read("Patient", "p1")


@pytest.mark.parametrize(
    ("status", "body"), [(501, b""), (500, _outcome("invalid")), (502, _outcome("not-supported"))]
)
async def test_a_write_answered_so_may_have_been_done_all_the_same(
    server: Server, client: EhrClient, status: int, body: bytes
) -> None:
    """Whoever answers with 5xx may stand before an EHR that has committed: it is looked for."""
    server.says(status, body)
    with pytest.raises(OutcomeUnknown):
        await client.create("Observation", {"resourceType": "Observation"})


async def test_an_inner_host_in_references_is_the_ehr_where_it_is_named_and_a_question_elsewhere(
    server: Server,
) -> None:
    """Never another patient: a person is told what is not known and who can settle it."""
    inner = "http://ehr-inside:8080/fhir"
    meant = {"resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/p1"}}
    held = meant | {"subject": {"reference": f"{inner}/Patient/p1"}}
    server.says(200, json.dumps(held).encode())
    patient = EhrPatientId("p1")
    async with EhrClient(server.base_url, GENERIC) as asked:
        found = await read_back(asked, "Observation", "o1", meant, patient=patient)
    assert (found.equal, found.wrong_patient, found.elsewhere) == (False, False, True)
    async with EhrClient(server.base_url, GENERIC, other_bases=[inner]) as asked:
        found = await read_back(asked, "Observation", "o1", meant, patient=patient)
    assert (found.equal, found.wrong_patient, found.elsewhere) == (True, False, False)


@pytest.mark.parametrize("url", ["http://[::1", "a b", "x" * 15_000])
async def test_a_broken_next_link_leaves_the_search_incomplete(
    server: Server, client: EhrClient, url: str
) -> None:
    """No exception of a library, and nobody is told that these are all."""
    server.finds(PATIENT, link=[{"relation": "next", "url": url}])
    found = await client.search("Patient", [("identifier", "a|b")])
    assert (len(found.resources), found.complete) == (1, False)


@pytest.fixture
async def hospital(server: Server, tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """The tiny server behind a certificate that its own hospital signed: its URL, and that file."""
    certificate, key = _self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.says(200, json.dumps(PATIENT).encode())
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"https://127.0.0.1:{port}/fhir", certificate


async def test_a_certificate_that_nobody_vouches_for_is_named_as_the_cause(
    hospital: tuple[str, Path],
) -> None:
    """Not a byte is sent, and the integrator reads what is wrong."""
    async with EhrClient(hospital[0], GENERIC) as client:
        with pytest.raises(NeverSent, match="its certificate is not trusted"):
            await client.read("Patient", "p1")


async def test_a_hospitals_own_authority_can_be_trusted(hospital: tuple[str, Path]) -> None:
    """Once the installation file names it."""
    address, authorities = hospital
    async with EhrClient(address, GENERIC, trust=Trust(authorities)) as client:
        assert (await client.read("Patient", "p1")).ehr_id == "p1"


@pytest.mark.parametrize("broken", ["missing", "empty", "no certificate"])
def test_a_file_that_holds_no_authorities_is_named(tmp_path: Path, broken: str) -> None:
    """At the start, and not at the first patient."""
    file = tmp_path / "authorities.pem"
    if broken != "missing":
        file.write_text("" if broken == "empty" else "hello")
    with pytest.raises(ValueError, match=r"authorities\.pem"):
        EhrClient("https://ehr.example/fhir", GENERIC, trust=Trust(file))


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a hospital")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, plain, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.mark.parametrize(
    ("status", "headers", "body", "merged", "strange"),
    [
        (301, {"Location": "/fhir/Patient/p9"}, b"", False, True),
        (301, {"Location": "{base}/Patient/p9"}, b"", True, True),
        (308, {"Location": "{base}/Patient/p1/"}, b"", False, True),
        (301, {"Location": "https://login.example/"}, b"", False, True),
        (301, {}, json.dumps(OUTCOME).encode(), True, False),
        (404, {"Content-Type": "text/html"}, b"<html>", False, True),
        (404, {}, b"", False, False),
        (404, {}, json.dumps(OUTCOME).encode(), False, False),
    ],
)
async def test_a_redirect_is_a_merge_only_where_it_leads_to_another_record(
    server: Server,
    status: int,
    headers: dict[str, str],
    body: bytes,
    *,
    merged: bool,
    strange: bool,
) -> None:
    """Http to https, a slash more, a login page: those are addresses and nobody's merge."""
    told = (f"{name}: {value.format(base=server.base_url)}" for name, value in headers.items())
    server.says(status, body, *told)
    async with EhrClient(server.base_url, GENERIC) as client:
        with pytest.raises(EhrRefused) as refused:
            await client.read("Patient", "p1")
    assert (refused.value.merged, refused.value.strange) == (merged, strange)
