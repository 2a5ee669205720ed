"""The pseudo-locale `en_XA`: English that shows what was forgotten, for development and tests.

Each sentence is longer by two fifths, accented, and stands between ⟦ and ⟧: what has no brackets
on a page did not come through a catalogue, and what breaks the layout would in German too.
"""

import gettext
import re

LANGUAGE = "en_XA"
OPENS, CLOSES = "⟦", "⟧"

KEPT = re.compile(r"%\(\w+\)[a-z]|%%|&\w+;")
"""What stands for something else, and is no word: placeholders and entities."""

ACCENTS = str.maketrans(
    "aAbcCdDeEfgGhHiIjJkKlLmnNoOpPqrRsStTuUvwWxyYzZ",
    "åÅƀçÇðÐéÉƒĝĜĥĤîÎĵĴķĶļĻɱñÑöÖþÞɋŕŔšŠţŢûÛṽŵŴẋýÝžŽ",
)
FILLING = "one two three four five six seven eight nine ten "


class Pseudo(gettext.NullTranslations):
    """As gettext's own, for whoever asks for a sentence."""

    def gettext(self, message: str) -> str:
        """The sentence, made strange."""
        return made_strange(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The sentence for that many, made strange."""
        return made_strange(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """The sentence, made strange."""
        return made_strange(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """The sentence for that many, made strange."""
        return made_strange(msgid1 if n == 1 else msgid2)


def made_strange(sentence: str) -> str:
    """The sentence accented, lengthened and bracketed; what stands for something else as it was."""
    words, kept = KEPT.split(sentence), KEPT.findall(sentence)
    accented = words[0].translate(ACCENTS)
    for one, following in zip(kept, words[1:], strict=True):
        accented += one + following.translate(ACCENTS)
    more = max(1, round(0.4 * len(KEPT.sub("", sentence))))
    filling = (FILLING * (more // len(FILLING) + 1))[:more].strip().translate(ACCENTS)
    return f"{OPENS}{accented} {filling}{CLOSES}"
