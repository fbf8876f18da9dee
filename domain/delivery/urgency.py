"""Which writes weigh more than others: what somebody may act on at the bedside, and treatments.

Which patient comes first when many wait depends on it, and whether Kairos itself may send again
what was lost. One patient's writes keep their order.
"""

from domain.delivery.words import Delivery

TREATMENT = frozenset(
    {"MedicationAdministration", "MedicationRequest", "Procedure", "ServiceRequest"}
)

URGENT = TREATMENT | {"Flag"}  # a hold: treatment is stopped, or is not any more


def is_urgent(resource_type: str) -> bool:
    """Say whether a write of this type is an order, a treatment, or what keeps from one."""
    return resource_type in URGENT


def is_treatment(delivery: Delivery) -> bool:
    """Say whether it is an order or a treatment that was given, or the text that tells of one."""
    _, _, named = delivery.artefact.partition("/")
    return delivery.resource_type in TREATMENT or named.startswith(("order/", "treatment/"))
