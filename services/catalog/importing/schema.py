"""The JSON Schema of a catalogue's file, with which editors complete and check as one writes."""

import json
from typing import Any

from services.catalog.importing.catalogue_yaml import WrittenCatalogue


def catalogue_schema() -> dict[str, Any]:
    """The schema of what the models read. What only the whole can tell is not in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **WrittenCatalogue.model_json_schema(by_alias=True),
        "title": "A tenant's catalogue",
    }


def schema_text() -> str:
    """The same as a file."""
    return json.dumps(catalogue_schema(), ensure_ascii=False, indent=2) + "\n"
