"""Texts that are in another language than their page, and as HTML say so (WCAG 2.2, 3.1.2).

A tenant writes its words in the languages it has; who reads another is shown the first. Such a text
is told apart where it is printed: a screen reader then speaks it as it is meant.
"""

from markupsafe import Markup

from chassis.web.i18n import current_language
from chassis.words import base_of, chosen
from contracts.words import Words


class OtherTongue(str):
    """A text with the language that it is in. As HTML it stands in a `span` that names that.

    Where HTML takes no element, within attributes, `<title>` and `<option>`, it is printed through
    the filter `plain`.
    """

    __slots__ = ("language",)
    language: str

    def __new__(cls, text: str, language: str) -> "OtherTongue":
        """The text, and the language as HTML writes it (RFC 5646)."""
        self = super().__new__(cls, text)
        self.language = language.replace("_", "-")
        return self

    def __html__(self) -> Markup:
        """What Jinja prints in place of the bare text."""
        return Markup('<span lang="{}">{}</span>').format(self.language, str(self))


def in_its_tongue(words: Words | str, said: str | None = None) -> str:
    """The words as the current language's reader is shown them, marked if they are in another.

    `said` stands for them where something was filled in.
    """
    if isinstance(words, str):
        return words if said is None else said
    reads = current_language.get()
    language = chosen(words, reads)
    text = words.get(language, "") if said is None else said
    own = language == reads or base_of(language) == base_of(reads)
    return text if own or not text else OtherTongue(text, language)


def plain(text: str) -> str:
    """The filter `plain`: the text alone, for where HTML takes no element."""
    return str(text)


def lang(text: str) -> Markup:
    """The filter `lang`: the attribute that tells the text's language, if it is not the page's."""
    if not isinstance(text, OtherTongue):
        return Markup()
    return Markup(' lang="{}"').format(text.language)
