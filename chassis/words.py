"""How texts are said in a language: msgids by a catalogue, words by language as they stand."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from babel.localedata import exists

from contracts.words import Text, Words

Translate = Callable[[str, str], str]
"""(msgid, language) → text; the msgid itself where no catalogue has it."""


ENGLISH, BRITISH = "en", "en_GB"


def N_(message: str) -> str:  # noqa: N802  gettext's own name for it
    """Marks a msgid for extraction; it is translated where it is shown."""
    return message


def say(text: Text, language: str, translate: Translate) -> str:
    """The text in this language, or in the first that it has."""
    if isinstance(text, str):
        return translate(text, language) if text else ""
    return shown(text, language)


def shown(display: Words | str, language: str) -> str:
    """What is shown of an answer or of a tenant's own words. Never goes through a catalogue.

    In this language, or its own of no country (fr for fr_CA), or the first that there is.
    """
    return display if isinstance(display, str) else display.get(chosen(display, language), "")


def chosen(words: Words, language: str) -> str:
    """In which of their languages words are shown to who reads this one; empty: there are none."""
    if language in words:
        return language
    base = base_of(language)
    return base if base in words else next(iter(words), "")


def base_of(language: str) -> str:
    """The language without its country: `en` of `en_XA` and of `en-GB`."""
    return language.replace("-", "_").partition("_")[0]


@lru_cache(256)
def locale_of(language: str) -> str:
    """The name by which Babel knows how this language writes dates and numbers.

    English is Britain's: 5 April 2018. The pseudo-locale writes as English does, and so does a
    language that Babel does not know.
    """
    for known in (language.replace("-", "_"), base_of(language)):
        if known != ENGLISH and exists(known):
            return known
    return BRITISH


def in_words(text: Text, languages: Iterable[str], translate: Translate) -> Words:
    """The text in each of the languages, to be stored or sent."""
    return {language: say(text, language, translate) for language in languages}
