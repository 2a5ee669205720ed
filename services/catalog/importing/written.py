"""What all models of the catalogue's YAML are made of: texts by language, keys, and refusals."""

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from contracts.words import Words

LANGUAGE = r"[a-z]{2,3}(-[A-Z]{2})?"


def refused(what: str, mend: str) -> PydanticCustomError:
    """A mistake in a sentence, and how to mend it in another."""
    return PydanticCustomError("guichet", "{what}", {"what": what, "mend": mend})


def _words(value: Any, info: ValidationInfo) -> Words:
    """A text in the file's language, or by language with that one among them."""
    language = info.context["language"] if info.context else None
    by_language = value if isinstance(value, dict) else {language or "en": value}
    for name, text in by_language.items():
        if not re.fullmatch(LANGUAGE, str(name)):
            raise refused(
                f"`{name}` is no language.", "Write a code such as `fr`, `en` or `pt-BR`."
            )
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise refused("This is no text.", "Write it in words, between quotes if need be.")
        if not str(text).strip():
            raise refused("The text is empty.", "Write it, or take the line out.")
    if language and language not in by_language:
        raise refused(
            f"The text is not given in `{language}`, the file's language.", f"Add `{language}:`."
        )
    return {str(name): str(text).strip() for name, text in by_language.items()}


_WORDS_SCHEMA = {
    "anyOf": [
        {"type": ["string", "integer"], "description": "in the file's language"},
        {
            "type": "object",
            "description": "by language",
            "patternProperties": {f"^{LANGUAGE}$": {"type": ["string", "integer"]}},
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}

WordsOf = Annotated[Words, PlainValidator(_words), WithJsonSchema(_WORDS_SCHEMA)]
LanguageOf = Annotated[str, StringConstraints(pattern=f"^{LANGUAGE}$")]
Slug = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=1, max_length=80)
]
KeyOf = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Written(BaseModel):
    """Something written in the file: no key that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
