"""What AsyncAPI 3.0.0 asks of the parts that our document uses, as a JSON Schema of our own.

After the specification's text (https://www.asyncapi.com/docs/reference/specification/v3.0.0): the
fixed fields of each object with their shapes, and extensions by `x-`. Objects that we don't use,
such as servers, bindings and traits, are refused: whoever adds one adds its shape here.
"""

from typing import Any

Node = dict[str, Any]

TEXT: Node = {"type": "string"}
NAME = r"^[A-Za-z0-9_.\-]+$"  # keys of components, and what ours are called everywhere
EXTENSIONS: Node = {r"^x-[\w.\-]+$": {}}


def _object(required: list[str], **fields: Node) -> Node:
    return {
        "type": "object",
        "required": required,
        "properties": fields,
        "patternProperties": EXTENSIONS,
        "additionalProperties": False,
    }


def _map(of: Node) -> Node:
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": of}


REFERENCE: Node = {
    "type": "object",
    "required": ["$ref"],
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
    "additionalProperties": False,
}

INFO = _object(
    ["title", "version"],
    title=TEXT,
    version=TEXT,
    description=TEXT,
    termsOfService=TEXT,
)

EXAMPLE = {
    **_object([], name=TEXT, summary=TEXT, headers={"type": "object"}, payload={}),
    "anyOf": [{"required": ["payload"]}, {"required": ["headers"]}],
}

# Without a `schemaFormat`, a Schema Object is a superset of JSON Schema draft 7.
SCHEMA: Node = {"type": ["object", "boolean"]}

MESSAGE = _object(
    [],
    name=TEXT,
    title=TEXT,
    summary=TEXT,
    description=TEXT,
    contentType={"type": "string", "pattern": r"^[\w.+\-]+/[\w.+\-]+$"},
    headers={
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"const": "object"}},
    },
    payload=SCHEMA,
    examples={"type": "array", "items": EXAMPLE},
)

CHANNEL = _object(
    [],
    address={"type": ["string", "null"]},
    title=TEXT,
    summary=TEXT,
    description=TEXT,
    messages=_map(REFERENCE),
)

OPERATION = _object(
    ["action", "channel"],
    action={"enum": ["send", "receive"]},
    channel={
        **REFERENCE,
        "properties": {"$ref": {"type": "string", "pattern": "^#/channels/[^/]+$"}},
    },
    title=TEXT,
    summary=TEXT,
    description=TEXT,
    messages={"type": "array", "items": REFERENCE},
)

DOCUMENT = _object(
    ["asyncapi", "info"],
    asyncapi={"const": "3.0.0"},
    id={"type": "string", "format": "uri"},
    info=INFO,
    defaultContentType=TEXT,
    channels=_map(CHANNEL),
    operations=_map(OPERATION),
    components=_object([], messages=_map(MESSAGE), schemas=_map(SCHEMA)),
)
