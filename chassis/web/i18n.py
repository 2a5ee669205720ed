"""Languages: catalogues read straight from .po files, and formats of dates and numbers.

Every sentence that somebody reads is an English msgid, translated where it is shown: English needs
no catalogue. The language of what is being rendered stands in `current_language`.
"""

import gettext
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any
from zoneinfo import ZoneInfo

import babel.dates
import babel.numbers
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from chassis.web import pseudo
from chassis.words import N_, locale_of, say, shown
from contracts.words import Text, Words

__all__ = [
    "DEFAULT_LANGUAGE",
    "N_",
    "Catalogues",
    "Translator",
    "current_language",
    "current_timezone",
    "format_date",
    "format_datetime",
    "format_number",
    "format_stamp",
    "format_time",
    "name_of",
    "speaking",
]

DEFAULT_LANGUAGE = "fr"
SOURCE_LANGUAGE = "en"  # of the msgids
WEB = "chassis.web"

current_language: ContextVar[str] = ContextVar("current_language", default=DEFAULT_LANGUAGE)
"""The language of the page or mail that is being made."""


current_timezone: ContextVar[str] = ContextVar("current_timezone", default="Europe/Paris")
"""The IANA name of the zone whose clocks that page or mail shows: its tenant's."""


@contextmanager
def speaking(language: str, timezone: str | None = None) -> Iterator[None]:
    """Within the block, `language` is the current one, and so is `timezone` if given."""
    tokens = (
        current_language.set(language),
        current_timezone.set(timezone or current_timezone.get()),
    )
    try:
        yield
    finally:
        current_language.reset(tokens[0])
        current_timezone.reset(tokens[1])


class Catalogues:
    """What some packages say, in every language they say it in, on top of `chassis.web`'s.

    `Catalogues("services.notifier")` reads `services/notifier/locale/<language>/LC_MESSAGES/*.po`.
    """

    def __init__(self, *packages: str) -> None:
        source = Translator(SOURCE_LANGUAGE, gettext.NullTranslations())
        self._translators: dict[str, Translator] = {SOURCE_LANGUAGE: source}
        self._pseudo = Translator(pseudo.LANGUAGE, pseudo.Pseudo())
        for package in (WEB, *packages):
            for language, folder in _languages_of(package):
                known = self._translators.get(language)
                fallback = known.messages if known else None
                self._translators[language] = Translator(language, _read(folder, fallback))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that are spoken here; the pseudo-locale too while a page is made in it."""
        strange = current_language.get() == pseudo.LANGUAGE
        return (*sorted(self._translators), *([pseudo.LANGUAGE] if strange else []))

    def speaks(self, language: str) -> bool:
        """Can something be said in this language?"""
        return language in self._translators or language == pseudo.LANGUAGE

    def translator(self, language: str) -> "Translator":
        """What speaks this language, or the default one where nothing does."""
        if language == pseudo.LANGUAGE:
            return self._pseudo
        return self._translators.get(language) or self._translators[DEFAULT_LANGUAGE]

    def translate(self, msgid: str, language: str) -> str:
        """The `Translate` of `chassis.words` and `chassis.forms`."""
        return self.translator(language).gettext(msgid)

    def say(self, text: Text) -> str:
        """A text in the current language."""
        return say(text, current_language.get(), self.translate)

    def words(self, text: Text) -> Words:
        """A text in every language, to be stored or sent."""
        return {language: say(text, language, self.translate) for language in self.languages}

    def install(self, environment: Environment) -> None:
        """Give the templates `_`, `ngettext`, `pgettext`, and the filters `say` and `shown`.

        All speak the language that is current when a template is rendered.
        """
        environment.add_extension("jinja2.ext.i18n")
        install: Any = environment.install_gettext_callables  # type: ignore[attr-defined]
        install(
            lambda msgid: self._now().gettext(msgid),
            lambda one, many, n: self._now().ngettext(one, many, n),
            newstyle=True,
            pgettext=lambda context, msgid: self._now().pgettext(context, msgid),
            npgettext=lambda context, one, many, n: self._now().npgettext(context, one, many, n),
        )
        environment.globals["_"] = environment.globals["gettext"] = self._sentence()
        environment.filters["say"] = self.say
        environment.filters["shown"] = lambda display: shown(display, current_language.get())

    def _sentence(self) -> Callable[..., str]:
        """Jinja's new-style gettext, most of a template's calls, in one call instead of three."""

        @pass_context
        def said(context: Context, msgid: str, **variables: object) -> str:
            sentence = self._now().gettext(msgid)
            if context.eval_ctx.autoescape:
                sentence = Markup(sentence)  # noqa: S704  # a catalogue's, not typed
            return sentence % variables if "%" in sentence else sentence

        return said

    def _now(self) -> "Translator":
        return self.translator(current_language.get())


class Translator:
    """Speaks one language."""

    def __init__(self, language: str, messages: gettext.NullTranslations) -> None:
        self.language = language
        self.messages = messages

    def gettext(self, msgid: str) -> str:
        """The sentence; the msgid itself where no catalogue has it."""
        return self.messages.gettext(msgid) if msgid else ""

    def ngettext(self, one: str, many: str, n: int) -> str:
        """The sentence for that many."""
        return self.messages.ngettext(one, many, n)

    def pgettext(self, context: str, msgid: str) -> str:
        """The sentence, told apart by its context."""
        return self.messages.pgettext(context, msgid)

    def npgettext(self, context: str, one: str, many: str, n: int) -> str:
        """Both."""
        return self.messages.npgettext(context, one, many, n)


def format_date(day: date, language: str | None = None) -> str:
    """5 avril 2018, 5 April 2018; of an instant, as the clocks of the current zone show it."""
    if isinstance(day, datetime):
        day = _local(day, None).date()
    return _written_date(day, _locale(language))


def format_datetime(
    instant: datetime, timezone: str | None = None, language: str | None = None
) -> str:
    """5 avril 2018, 15:31, as the clocks of that zone (an IANA name) or the current one show it."""
    return _format_instant(_local(instant, timezone), "short", _locale(language))


def format_stamp(instant: datetime, timezone: str | None = None) -> str:
    """The instant to the second, as the clocks of that zone show it.

    05/04/2018 15:31:13 in French, the manual's own format; 5 April 2018, 15:31:13 in English, where
    day and month in figures change places with the reader's country.
    """
    local = _local(instant, timezone)
    if current_language.get() == "fr":
        return local.strftime("%d/%m/%Y %H:%M:%S")
    return _format_instant(local, "medium", _locale(None))


def format_age(age_s: float, language: str | None = None) -> str:
    """How long something has lasted, to its largest unit: `3 minutes`, `2 hours`."""
    return babel.dates.format_timedelta(
        timedelta(seconds=round(age_s)), threshold=1.5, locale=_locale(language)
    )


def format_number(number: int | Decimal, language: str | None = None) -> str:
    """1 234,5 or 1,234.5."""
    return babel.numbers.format_decimal(
        number, locale=_locale(language), decimal_quantization=False
    )


def name_of(language: str) -> str:
    """The language in its own words: Français, English."""
    if language == pseudo.LANGUAGE:
        return "Pseudo"
    name = Locale.parse(language.replace("-", "_")).display_name or language
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=64)
def _day_and_time(locale: str) -> str:
    """How that language puts a time, {0}, to a day, {1}."""
    return str(babel.dates.get_datetime_format("long", locale=locale))


def _format_instant(local: datetime, time_format: Any, locale: str) -> str:
    clock = local.time() if time_format == "medium" else local.time().replace(second=0)
    return _day_and_time(locale).format(
        _written_time(clock.replace(microsecond=0), time_format, locale),
        _written_date(local.date(), locale),
    )


@lru_cache(maxsize=4096)
def _written_date(day: date, locale: str) -> str:
    """Kept, as is the time below: babel takes its time, and a list's lines share days and hours."""
    return babel.dates.format_date(day, "long", locale=locale)


@lru_cache(maxsize=4096)
def _written_time(clock: time, time_format: Any, locale: str) -> str:
    return babel.dates.format_time(clock, time_format, locale=locale)


def format_time(instant: datetime, language: str | None = None) -> str:
    """15:31, as the clocks of the current zone show it."""
    local = _local(instant, None)
    locale = _locale(language)
    return babel.dates.format_time(local, "short", tzinfo=local.tzinfo, locale=locale)


def _locale(language: str | None) -> str:
    return locale_of(language or current_language.get())


def _local(instant: datetime, timezone: str | None) -> datetime:
    return instant.astimezone(ZoneInfo(timezone or current_timezone.get()))


def _languages_of(package: str) -> Iterator[tuple[str, Traversable]]:
    locale = resources.files(package) / "locale"
    if not locale.is_dir():
        return
    for folder in locale.iterdir():
        messages = folder / "LC_MESSAGES"
        if messages.is_dir():
            yield folder.name, messages


def _read(
    folder: Traversable, fallback: gettext.NullTranslations | None
) -> gettext.NullTranslations:
    """The catalogues of a folder, each falling back on the one before; fuzzy entries left out."""
    found: gettext.NullTranslations = fallback or gettext.NullTranslations()
    for name in sorted(one.name for one in folder.iterdir() if one.name.endswith(".po")):
        catalogue = read_po(io.BytesIO((folder / name).read_bytes()))
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        messages = gettext.GNUTranslations(compiled)
        messages.add_fallback(found)
        found = messages
    return found
