"""Which patient's writes go first while many wait."""

import pytest

from domain.delivery.urgency import is_urgent


@pytest.mark.parametrize(
    ("resource_type", "urgent"),
    [
        ("MedicationRequest", True),
        ("ServiceRequest", True),
        ("MedicationAdministration", True),
        ("Procedure", True),
        ("Flag", True),
        ("Observation", False),
        ("QuestionnaireResponse", False),
        ("Appointment", False),
        ("Task", False),
        ("Provenance", False),
        ("EpisodeOfCare", False),
    ],
)
def test_orders_treatments_and_holds_go_first(resource_type: str, *, urgent: bool) -> None:
    """What somebody may act on at the bedside is urgent; what is read later is not."""
    assert is_urgent(resource_type) is urgent
