"""An envelope as a message of AMQP 0-9-1, and back.

CloudEvents' own AMQP binding is written for AMQP 1.0. Here, as in its binary mode, the event's data
is the body, in JSON, and each attribute is a header `cloudEvents:<name>`; all are strings in
CloudEvents' canonical form, so that every client writes and reads the same bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

from aio_pika import DeliveryMode, Message
from pydantic import ValidationError

from contracts.event import Envelope

PREFIX = "cloudEvents:"
SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"


class Undecodable(Exception):
    """This message is no event. Says why, without the message's words."""


def message_of(envelope: Envelope) -> Message:
    """A persistent message. Its message id is left to the channel: each copy has its own."""
    headers = {
        "specversion": SPEC_VERSION,
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "subject": str(envelope.subject),
        "time": envelope.time.isoformat().replace("+00:00", "Z"),
        "dataschema": envelope.dataschema,
        "tenant": str(envelope.tenant),
        "version": str(envelope.version),
        "epoch": str(envelope.epoch),
    }
    if envelope.traceparent is not None:
        headers["traceparent"] = envelope.traceparent
    return Message(
        json.dumps(envelope.data, ensure_ascii=False, separators=(",", ":")).encode(),
        headers={PREFIX + name: value for name, value in headers.items()},
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
    )


def envelope_of(headers: Mapping[str, Any], body: bytes) -> Envelope:
    """The envelope that a message holds. Raises Undecodable.

    Attributes that nobody here knows are passed over, as everywhere.
    """
    told = {
        name.removeprefix(PREFIX): value
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    if told.get("specversion") != SPEC_VERSION:
        raise Undecodable("specversion")
    try:
        told["data"] = json.loads(body)
    except ValueError:
        raise Undecodable("body") from None
    try:
        return Envelope.model_validate(told)
    except ValidationError as error:
        raise Undecodable(str(error.errors()[0]["loc"][0])) from None
