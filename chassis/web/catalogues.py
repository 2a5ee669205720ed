"""The catalogues in the source: which part owns which, what they lack, and how they are updated.

`python -m chassis.web.catalogues update [PART…]` writes every msgid that code or templates use
into its part's `.po` files, drops what nothing uses any more, and leaves translations as they are;
`check` says what is missing or wrong, as tests/unit/test_translations.py does.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("chassis", "services", "gateway", "guichet")
LANGUAGES = ("fr",)

METHODS = [
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
    ("**/templates/**.mjml", "jinja2"),
    ("**.py", "python"),
]
KEYWORDS: dict[str, Any] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")


@dataclass(frozen=True)
class Part:
    """A folder of sources, and the folder of catalogues that holds their words."""

    name: str
    sources: Path
    locale: Path
    others: tuple[Path, ...] = ()  # folders below that have catalogues of their own

    def po(self, language: str) -> Path:
        """The part's catalogue of a language: the one that is there, or `<name>.po`."""
        folder = self.locale / language / "LC_MESSAGES"
        there = sorted(folder.glob("*.po"))
        return there[0] if there else folder / f"{self.name}.po"


def parts(root: Path = ROOT) -> list[Part]:
    """Every part that has sources, found by itself: the tops, each service, what has a `locale`."""
    folders = {root / top for top in TOPS if top != "services"}
    folders |= set((root / "services").glob("[!_.]*"))
    for top in TOPS:
        folders |= {locale.parent for locale in (root / top).rglob("locale") if locale.is_dir()}
    folders.discard(root / "chassis" / "web")  # its catalogues are those of the whole chassis
    return [
        _part(folder, tuple(one for one in folders if folder in one.parents))
        for folder in sorted(folders)
        if any(folder.rglob("*.py"))
    ]


def _part(folder: Path, others: tuple[Path, ...]) -> Part:
    if folder.name == "chassis":
        return Part("web", folder, folder / "web" / "locale", others)
    return Part(folder.name, folder, folder / "locale", others)


def used(part: Part) -> Catalog:
    """Every msgid that the part's code and templates use, with the places where they do."""
    catalogue = Catalog(domain=part.name)
    for file, line, message, comments, context in extract_from_dir(
        part.sources,
        method_map=METHODS,
        keywords=KEYWORDS,
        options_map={"**/templates/**": {"silent": "false", "trimmed": "true"}},
        comment_tags=("Translators:",),
        strip_comment_tags=True,
        directory_filter=lambda folder: Path(folder) not in part.others,
    ):
        catalogue.add(
            message,
            locations=[(f"{part.sources.name}/{file}", line)],
            auto_comments=comments,
            context=context,
        )
    return catalogue


def kept(part: Part, language: str) -> Catalog:
    """What the part's catalogue of that language holds."""
    file = part.po(language)
    if not file.is_file():
        return Catalog(locale=language, domain=part.name)
    with file.open("rb") as opened:
        return read_po(opened, locale=language, domain=part.name)


def faults(part: Part, language: str, shared: Catalog) -> Iterator[str]:
    """What is wrong with a part's catalogue, in sentences. `shared` is chassis.web's own."""
    catalogue = kept(part, language)
    where = f"{part.name}.po ({language})"
    for message in used(part):
        if not message.id:
            continue
        own = catalogue.get(message.id, message.context)
        known = own or shared.get(message.id, message.context)
        if known is None or not all(_strings(known.string)):
            yield f"{where}: {message.id!r} is not translated"
        elif known.fuzzy:
            yield f"{where}: {message.id!r} is fuzzy"
    for message in catalogue:
        if message.id:
            yield from (f"{where}: {fault}" for fault in _faults_of(message, language))


def update(part: Part, language: str, shared: Catalog | None) -> None:
    """Bring the part's catalogue in line with what is used; without locations, which only churn."""
    wanted, catalogue = used(part), kept(part, language)
    merged = Catalog(
        locale=language, domain=part.name, project="guichet", header_comment="", fuzzy=False
    )
    for message in sorted(wanted, key=lambda one: _strings(one.id)[0]):
        if not message.id:
            continue
        own = catalogue.get(message.id, message.context)
        if own is None and shared is not None and shared.get(message.id, message.context):
            continue
        merged.add(
            message.id,
            own.string if own else None,
            flags=own.flags if own else (),
            user_comments=own.user_comments if own else (),
            auto_comments=message.auto_comments,
            context=message.context,
        )
    if not any(message.id for message in merged):
        return
    part.po(language).parent.mkdir(parents=True, exist_ok=True)
    with part.po(language).open("wb") as opened:
        opened.write(_header(language).encode())
        write_po(opened, merged, width=100, no_location=True, omit_header=True)


def typography(text: str, language: str = "fr") -> Iterator[str]:
    """What breaks the rules of UX §8 in a French or an English text.

    In French U+00A0 stands before : ; ! ? and inside « », but not in times, addresses and
    placeholders. The manual's labels keep their straight apostrophe; so that is not told of here.
    """
    plain = re.sub(r"https?://\S+|\b\d{1,2}:\d{2}\b", "", PLACEHOLDER.sub("x", text))
    if "..." in plain:
        yield "three dots for …"
    if "  " in plain:
        yield "two spaces"
    yield from _french(plain) if language == "fr" else _english(plain)


def _french(plain: str) -> Iterator[str]:
    if re.search(r"(?<![\u00a0:;!?])[:;!?]", plain):
        yield "no U+00A0 before : ; ! or ?"
    if re.search(r"«(?!\u00a0)|(?<!\u00a0)»", plain):
        yield "no U+00A0 inside « »"
    if re.search(r"[“”\"]", plain):
        yield "other quotation marks than « »"


def _english(plain: str) -> Iterator[str]:
    if re.search(r"[\s\u00a0][:;!?]", plain):
        yield "a space before : ; ! or ?"
    if re.search(r"[«»\"]|(?<=\w)'|'(?=\w)", plain):
        yield "other marks than “ ” and ’"


def _faults_of(message: Any, language: str) -> Iterator[str]:
    wanted = {name for text in _strings(message.id) for name in PLACEHOLDER.findall(text)}
    for text in _strings(message.string):
        if not text:
            continue
        names = set(PLACEHOLDER.findall(text))
        spare = {"num"} if message.pluralizable else set()
        if names - wanted or (wanted - names) - spare:
            yield f"{message.id!r} has other placeholders in {text!r}"
        yield from (f"{text!r}: {fault}" for fault in typography(text, language))


def _strings(text: Any) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


def _header(language: str) -> str:
    plural = {"fr": "nplurals=2; plural=(n > 1);"}[language]
    return (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {plural}\\n"\n\n'
    )


def main(arguments: list[str]) -> int:
    """`update` or `check` the catalogues of all parts, or of those named after it."""
    verb, names = arguments[:1], set(arguments[1:])
    every = parts()
    if verb not in (["update"], ["check"]) or names - {part.name for part in every}:
        sys.stderr.write("usage: python -m chassis.web.catalogues update|check [PART…]\n")
        return 2
    web = next(part for part in every if part.name == "web")
    wrong = 0
    for language in LANGUAGES:
        for part in every:
            if names and part.name not in names:
                continue
            if verb == ["update"]:
                update(part, language, None if part is web else kept(web, language))
            for fault in faults(part, language, kept(web, language)):
                wrong += 1
                sys.stdout.write(f"{fault}\n")
    return 1 if wrong and verb == ["check"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
