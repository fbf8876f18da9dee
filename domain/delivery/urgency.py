"""Which writes go before others when many patients' wait: what somebody may act on at the bedside.

Only which patient comes first depends on it. One patient's writes keep their order.
"""

URGENT = frozenset(
    {
        "Flag",  # a hold: treatment is stopped, or is not any more
        "MedicationAdministration",
        "MedicationRequest",
        "Procedure",
        "ServiceRequest",
    }
)


def is_urgent(resource_type: str) -> bool:
    """Say whether a write of this type is an order, a treatment, or what keeps from one."""
    return resource_type in URGENT
