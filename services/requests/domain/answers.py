"""Answers on their way through the pages: what was asked and shown, carried in hidden fields.

A procedure may be published anew, or retired, while somebody fills its form. So each page carries
the labels of what it asked, and the recap the fingerprint of what it showed: nothing is saved that
its author did not see, and nothing that they typed goes without a word.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from chassis.words import shown
from contracts.forms import AnsweredSection, Form
from contracts.words import Text


def as_stored(sections: Sequence[AnsweredSection]) -> list[dict[str, Any]]:
    """Answered sections as JSON."""
    return [section.model_dump(mode="json") for section in sections]


def fingerprint(sections: Sequence[AnsweredSection]) -> str:
    """The same for the same questions and answers, and for no others."""
    told = json.dumps(as_stored(sections), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def asked(form: Form, language: str) -> str:
    """The labels of a form's questions and choices, as `told` reads them back."""
    return json.dumps(
        {
            field.key: [
                _words(field.label, language),
                {choice.value: _words(choice.label, language) for choice in field.choices},
            ]
            for field in form.fields()
            if field.kind != "file"  # whose answers are ids: they say nothing to anybody
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def told(
    asked_before: str, values: Mapping[str, str], without: Form | None = None
) -> list[tuple[str, str]]:
    """What was typed, each with its label: the answers that `without`, the form now, lost.

    `asked_before` came back from a browser: what can't be read in it is passed over.
    """
    try:
        labels = json.loads(asked_before)
    except ValueError:
        return []
    known = set() if without is None else {field.key for field in without.fields()}
    typed = _by_question(values)
    found = []
    for key, question in labels.items() if isinstance(labels, dict) else ():
        if key in known:
            continue
        label, choices = _question(question)
        for value in typed.get(key, ()):
            said = (choices.get(line, line) for line in value.splitlines())
            found.append((label, "\n".join(said) if choices else value))
    return found


def _by_question(values: Mapping[str, str]) -> dict[str, list[str]]:
    """What was typed, by the keys of questions: once for each entry, an address as one."""
    parts: dict[tuple[str, str], list[str]] = {}
    for name, value in values.items():
        steps = name.split(".")
        numbered = len(steps) > 2 and steps[1].isdecimal()
        key = steps[2] if numbered else steps[0]
        if value.strip():
            parts.setdefault((key, steps[1] if numbered else ""), []).append(value.strip())
    typed: dict[str, list[str]] = {}
    for (key, _), those in parts.items():
        typed.setdefault(key, []).append("\n".join(those))
    return typed


def _question(question: object) -> tuple[str, dict[str, str]]:
    match question:
        case [str() as label, dict() as choices]:
            return label, {str(value): str(said) for value, said in choices.items()}
        case _:
            return "", {}


def _words(text: Text, language: str) -> str:
    """A published form holds words in languages, never msgids."""
    return shown(text, language)
