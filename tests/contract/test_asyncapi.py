"""`contracts/asyncapi.yaml` is what the event classes and subscriptions say, and AsyncAPI 3.0."""

import json
from importlib import resources
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from guichet import asyncapi
from guichet.parts import SERVICES
from tests.contract.asyncapi_schema import DOCUMENT as SCHEMA
from tests.contract.test_examples import CLASSES

DOCUMENT: dict[str, Any] = yaml.safe_load(asyncapi.path().read_text("utf-8"))
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def test_the_document_is_current() -> None:
    assert asyncapi.path().read_text("utf-8") == asyncapi.written(), (
        "events or subscriptions changed: run `python -m guichet asyncapi`"
    )


def test_the_document_is_asyncapi_3() -> None:
    errors = Draft202012Validator(SCHEMA).iter_errors(DOCUMENT)
    assert [f"{'/'.join(map(str, one.path))}: {one.message[:200]}" for one in errors] == []


@pytest.mark.parametrize(
    "broken",
    [
        {"asyncapi": "2.6.0"},
        {"info": {"title": "No version"}},
        {"channels": {"a": {"address": 1}}},
        {"channels": {"a": {"messages": {"m": {"$ref": "elsewhere.yaml"}}}}},
        {"channels": {"a": {"subscribe": {}}}},  # AsyncAPI 2
        {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/a"}}}},
        {"operations": {"x": {"action": "send", "channel": {"$ref": "#/components/a"}}}},
        {"operations": {"x": {"action": "send"}}},
        {"components": {"messages": {"m": {"examples": [{"name": "of nothing"}]}}}},
        {"components": {"messages": {"a message": {}}}},
        {"unheard_of": 1},
    ],
)
def test_what_is_no_asyncapi_3_is_told(broken: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({**DOCUMENT, **broken})


def pointed(reference: str) -> Any:
    """What a reference within the document leads to. Raises KeyError."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def references(node: Any) -> set[str]:
    """Every reference that there is."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(one) for one in node.values()))
    if isinstance(node, list):
        return set().union(*(references(one) for one in node))
    return set()


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 20
    for reference in found:
        pointed(reference)


def test_every_event_and_every_subscription_is_in_it() -> None:
    assert set(MESSAGES) == {event.type_name() for event in CLASSES}
    operations = DOCUMENT["operations"]
    for event in CLASSES:
        assert operations[f"{event.source}.tells.{event.type_name()}"]["action"] == "send"
    for part, service in SERVICES.items():
        for one in service.subscriptions:
            for heard in one.events:
                operation = operations[f"{part}.hears.{heard.type_name()}"]
                assert operation["action"] == "receive"
                assert operation["x-handlers"][one.name] == one.mode.value
    assert "gateway.hears.identity.SessionRevoked.v1" in operations


@pytest.mark.parametrize("name", MESSAGES)
def test_its_examples_are_what_its_schemas_say(name: str) -> None:
    message = MESSAGES[name]
    payload = {**message["payload"], "components": DOCUMENT["components"]}
    Draft202012Validator.check_schema(message["payload"])
    assert message["examples"]
    for example in message["examples"]:
        Draft202012Validator(payload).validate(example["payload"])


def test_an_envelope_is_what_the_headers_say() -> None:
    text = (resources.files("contracts") / "examples" / "envelope.json").read_text("utf-8")
    envelope = json.loads(text)
    envelope.pop("data")
    headers = MESSAGES[envelope["type"]]["headers"]
    Draft202012Validator(headers).validate(envelope)
    assert set(envelope) == set(headers["properties"])
