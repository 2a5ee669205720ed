"""The bytes of an event at the broker: what was sent by an older release is still read."""

import json
from importlib import resources
from typing import Any

import pytest

from chassis.rabbit.messages import Undecodable, envelope_of, message_of
from contracts.event import Envelope

EXAMPLES = resources.files("contracts") / "examples"


@pytest.fixture
def envelope() -> Envelope:
    return Envelope.model_validate_json((EXAMPLES / "envelope.json").read_text("utf-8"))


@pytest.fixture
def golden() -> dict[str, Any]:
    written: dict[str, Any] = json.loads((EXAMPLES / "envelope.amqp.json").read_text("utf-8"))
    return written


def test_an_envelope_is_written_as_ever(envelope: Envelope, golden: dict[str, Any]) -> None:
    message = message_of(envelope)
    assert message.properties.marshal().hex() == golden["properties_hex"]
    assert message.headers == golden["headers"]
    assert message.content_type == golden["content_type"]
    assert message.delivery_mode == golden["delivery_mode"]
    assert message.body == golden["body"].encode()


def test_a_message_is_read_as_ever(envelope: Envelope, golden: dict[str, Any]) -> None:
    assert envelope_of(golden["headers"], golden["body"].encode()) == envelope


def test_what_an_envelope_lacks_is_not_written(envelope: Envelope) -> None:
    untraced = envelope.model_copy(update={"traceparent": None})
    message = message_of(untraced)
    assert "cloudEvents:traceparent" not in message.headers
    assert envelope_of(message.headers, message.body) == untraced


def test_attributes_of_a_later_release_are_passed_over(
    envelope: Envelope, golden: dict[str, Any]
) -> None:
    headers = golden["headers"] | {"cloudEvents:mood": "glad", "x-death": [{"count": 1}]}
    assert envelope_of(headers, golden["body"].encode()) == envelope


@pytest.mark.parametrize(
    ("changes", "body", "reason"),
    [
        ({"cloudEvents:specversion": "2.0"}, "{}", "specversion"),
        ({"cloudEvents:id": "secret"}, "{}", "id"),
        ({"cloudEvents:tenant": None}, "{}", "tenant"),
        ({"cloudEvents:version": "secret"}, "{}", "version"),
        ({}, "secret", "body"),
        ({}, "[]", "data"),
    ],
)
def test_what_is_no_event_is_refused_without_its_words(
    golden: dict[str, Any], changes: dict[str, Any], body: str, reason: str
) -> None:
    with pytest.raises(Undecodable) as refusal:
        envelope_of(golden["headers"] | changes, body.encode())
    assert str(refusal.value) == reason
    assert refusal.value.__cause__ is None


def test_bytes_that_are_no_text_are_refused(golden: dict[str, Any]) -> None:
    with pytest.raises(Undecodable):
        envelope_of(golden["headers"], b"\xff\x00{")
