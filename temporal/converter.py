"""How values travel through Temporal: JSON by pydantic, with validators made once a process.

The SDK makes a converter for every workflow instance, and each of them would build its validators
anew, which takes milliseconds. This one shares them.
"""

import dataclasses

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

_JSON = PydanticJSONPlainPayloadConverter()


class SharedPydanticConverter(CompositePayloadConverter):
    """The SDK's converters, with the one pydantic JSON converter of this process."""

    def __init__(self) -> None:
        """Put the shared converter where the default JSON one stands."""
        super().__init__(
            *(
                _JSON if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


DATA_CONVERTER = dataclasses.replace(
    DataConverter.default,
    payload_converter_class=SharedPydanticConverter,
    # What an error says may hold what a patient's record holds: it travels as payload does.
    failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
)
"""The converter of every client, worker and replay of Kairos."""
