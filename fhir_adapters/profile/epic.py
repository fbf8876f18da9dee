"""Epic. Its error codes are the 37 that it publishes, and three that were seen in its answers.

Read in the list on its specification page (collected 2026-08-14), in its R4 statement (captured
2026-07-24), and in a probe of its public sandbox (2026-04-28). A code decides by itself, for the
`system` beside it differs from site to site. Must not hold Epic's own wording.
"""

from collections.abc import Mapping

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.vendor import Known, Sure, Vendor
from fhir_adapters.profile.verdicts import Verdict

_CODES: Mapping[str, Verdict] = {
    "4100": Verdict.REFUSED,
    "4101": Verdict.NOT_FOUND,
    "4102": Verdict.NOT_FOUND,
    "4103": Verdict.NOT_FOUND,
    "4104": Verdict.NEEDS_PERSON,
    "4107": Verdict.CONFLICT,
    "4110": Verdict.REFUSED,
    "4111": Verdict.REFUSED,
    "4112": Verdict.REFUSED,
    "4113": Verdict.PAGE_RESTART,
    "4115": Verdict.REFUSED,
    "4116": Verdict.PAGE_RESTART,
    "4117": Verdict.REFUSED,
    "4118": Verdict.NEEDS_PERSON,
    "4119": Verdict.NEEDS_PERSON,
    "4122": Verdict.REFUSED,
    "4127": Verdict.REFUSED,
    "4130": Verdict.NEEDS_PERSON,
    "4131": Verdict.NEEDS_PERSON,
    "4134": Verdict.NEEDS_PERSON,
    "4135": Verdict.RETRY,  # the next day
    "40000": Verdict.NEEDS_PERSON,
    "59008": Verdict.NOT_FOUND,  # seen, not published
    "59100": Verdict.REFUSED,
    "59101": Verdict.REFUSED,
    "59102": Verdict.REFUSED,
    "59105": Verdict.REFUSED,
    "59108": Verdict.REFUSED,
    "59109": Verdict.REFUSED,
    "59111": Verdict.REFUSED,
    "59133": Verdict.REFUSED,
    "59134": Verdict.REFUSED,  # seen, not published
    "59141": Verdict.ALREADY_DONE,  # perhaps somebody else's entry: look before adopting it
    "59144": Verdict.NOT_FOUND,  # something that ours refers to
    "59159": Verdict.REFUSED,
    "59177": Verdict.RETRY,  # the outcome is unknown: look first
    "59187": Verdict.NEEDS_PERSON,
    "59188": Verdict.NEEDS_PERSON,
    "59189": Verdict.RETRY,  # the outcome is unknown: look first
    "59204": Verdict.NEEDS_PERSON,  # seen, not published
}

_NO_ROW = "Epic files an Observation only into a flowsheet row that the site has mapped"  # 59188

EPIC = Vendor(
    "epic",
    not_taken={
        (ArtefactKind.SCALE, "Observation"): _NO_ROW,
        (ArtefactKind.FINDING, "Observation"): _NO_ROW,
    },
    # The probe's DocumentReference came back without our identifier. Nobody has seen whether the
    # others keep theirs, so a search by it would be no proof.
    identifier_lost=frozenset(
        {"Communication", "DocumentReference", "Observation", "QuestionnaireResponse"}
    ),
    # The probe: author and date became the interface user and the server's clock, plain text
    # became html and rtf.
    rewrites={
        "DocumentReference": frozenset({"identifier", "author", "date", "content"}),
        "Observation": frozenset({"performer"}),
    },
    codes=_CODES,
    unlisted=Verdict.NEEDS_PERSON,
    nothing_found=frozenset({"4101"}),
    id_place=Known(
        "201 with an empty body: the id stands in a relative Location, `Type/id`; no ETag",
        "Pegasus-One-USA/Segue, sandbox runs of September and October 2026",
        Sure.REPORTED,
    ),
    throttle=Known(
        "responses state no limit; apps are asked to use at most 1 % of the operational"
        " database from 7 a.m. to 7 p.m., and 5 % otherwise",
        "api-evangelist/epic-systems, epic-systems-rate-limits.yml, August 2026",
        Sure.REPORTED,
    ),
)
