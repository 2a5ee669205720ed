"""The AsyncAPI 3 document: every event, who tells it and who listens, found in the assembly.

`python -m guichet asyncapi` writes `contracts/asyncapi.yaml` anew; a test holds that it is current.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from inspect import cleandoc
from pathlib import Path
from typing import Any

import yaml

from chassis.settings import Settings
from chassis.subscriptions import Broadcast, Mode
from contracts.event import EVENTS, Envelope, Event
from guichet.embedded import Installation
from guichet.parts import SERVICES

HEAD = (
    "# Made by `python -m guichet asyncapi`: change the event classes and subscriptions instead.\n"
)

Node = dict[str, Any]

ATTRIBUTES = {
    "id": "the event's own; unique, and stored by each handler that has handled it",
    "source": "the service that tells it",
    "type": "its routing key",
    "subject": "whom it is about: its events are handled one at a time",
    "time": "when it came about",
    "dataschema": "what its data are",
    "tenant": "whose it is",
    "traceparent": "W3C Trace Context, of the HTTP request or event that led to it",
    "version": "of the subject's row, raised in the transaction that told it",
    "epoch": "raised when an installation is restored",
}
"""The envelope's attributes: CloudEvents 1.0's, and four of ours."""


def path() -> Path:
    """Where the document stands in the sources."""
    return Path(str(resources.files("contracts") / "asyncapi.yaml"))


def written() -> str:
    """The document as its file holds it."""
    return HEAD + yaml.dump(
        document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def document() -> Node:
    """The document, from the event classes and from what listens to them."""
    events = sorted(_published(), key=lambda event: event.type_name())
    schemas: Node = {}
    messages = {event.type_name(): _message(event, schemas) for event in events}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Guichet's events",
            "version": "1",  # each event has its own, in its name
            "description": (
                "What the services of a Guichet installation tell each other. Envelopes are"
                " CloudEvents 1.0 with four attributes of ours. Within a version only optional"
                " attributes are added; readers ignore what they don't know."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {event.type_name(): _channel(event) for event in events},
        "operations": dict(_operations(events)),
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _published() -> Iterator[type[Event]]:
    """The events that services tell: every service's modules are loaded by its assembly."""
    return (event for event in EVENTS.values() if event.__module__.startswith("contracts."))


def _channel(event: type[Event]) -> Node:
    name = event.type_name()
    return {
        "address": name,
        "summary": _summary(event),
        "messages": {name: {"$ref": f"#/components/messages/{_pointed(name)}"}},
    }


def _operations(events: Iterable[type[Event]]) -> Iterator[tuple[str, Node]]:
    heard = _listeners()
    for event in events:
        name = event.type_name()
        yield (
            f"{event.source}.tells.{name}",
            {"action": "send", "title": f"{event.source} tells", **_over(name)},
        )
        for part, handlers in sorted(heard.get(name, {}).items()):
            yield (
                f"{part}.hears.{name}",
                {
                    "action": "receive",
                    "title": f"{part} hears",
                    **_over(name),
                    "x-handlers": handlers,
                },
            )


def _over(name: str) -> Node:
    channel = f"#/channels/{_pointed(name)}"
    return {
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_pointed(name)}"}],
    }


def _listeners() -> dict[str, dict[str, Node]]:
    """By event type and part: the handlers, and how each bears disorder."""
    found: dict[str, dict[str, Node]] = {}
    for part, service in SERVICES.items():
        for one in service.subscriptions:
            for event in one.events:
                of_part = found.setdefault(event.type_name(), {}).setdefault(part, {})
                of_part[one.name] = "newest" if one.mode is Mode.NEWEST else "every"
    for part, broadcasts in _broadcasts().items():
        for cache in broadcasts:
            for event in cache.events:
                of_part = found.setdefault(event.type_name(), {}).setdefault(part, {})
                of_part[f"{type(getattr(cache.callback, '__self__', cache)).__name__}"] = (
                    "broadcast"
                )
    return found


def _broadcasts() -> Mapping[str, list[Broadcast]]:
    """What the caches of each process listen to: assembled, never started."""
    with tempfile.TemporaryDirectory() as keys:
        whole = Installation(Settings(), Path(keys), "postgresql://nobody@localhost/nothing")
    return {
        **{part: runtime.broadcasts for part, runtime in whole.runtimes.items()},
        "gateway": list(whole.gateway.broadcasts()),
    }


def _message(event: type[Event], schemas: Node) -> Node:
    name = event.type_name()
    payload = _schema_of(event, schemas)
    return {
        "name": name,
        "title": event.__name__,
        "summary": _summary(event),
        "contentType": "application/json",
        "headers": _headers(event),
        "payload": payload,
        "examples": [
            {"name": one.name.removesuffix(".json"), "payload": json.loads(one.read_text("utf-8"))}
            for one in _examples(name)
        ],
        "x-subject": event.subject_field,
        "x-concerns": list(event.concerns_fields),
        "x-ends-its-subject": event.ends,
    }


def _examples(name: str) -> list[Any]:
    """Every example that was ever published of it, today's first."""
    folder = resources.files("contracts") / "examples"
    found = [one for one in folder.iterdir() if one.name.startswith(f"{name}.")]
    return sorted(found, key=lambda one: (one.name != f"{name}.json", one.name))


def _headers(event: type[Event]) -> Node:
    whole = Envelope.model_json_schema()
    attributes: Node = {}
    for name, meaning in ATTRIBUTES.items():
        shape = {k: v for k, v in whole["properties"][name].items() if k != "title"}
        attributes[name] = {**shape, "description": meaning}
    attributes["source"]["const"] = event.source
    attributes["type"]["const"] = event.type_name()
    attributes["dataschema"]["const"] = f"guichet:{event.type_name()}"
    required = [name for name in ATTRIBUTES if name in whole["required"]]
    return {"type": "object", "properties": attributes, "required": required}


def _schema_of(event: type[Event], schemas: Node) -> Node:
    """The data's JSON Schema; what it is made of goes among the shared ones."""
    schema = event.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, part in schema.pop("$defs", {}).items():
        if schemas.setdefault(name, part) != part:
            raise ValueError(f"two schemas are called {name}")
    return schema


def _summary(event: type[Event]) -> str:
    return cleandoc(event.__doc__ or "").partition("\n")[0]


def _pointed(name: str) -> str:
    """As a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


class _Dumper(yaml.SafeDumper):
    """Writes equal values out, rather than as aliases of each other."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True
