"""Reading a catalogue's file: its YAML, its shape, then what only the whole can tell."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from contracts.forms import Choice, Condition, Field, Form, Page, Repeats, Section
from services.catalog.domain.catalogue import CatalogueFile, WantedCategory, WantedProcedure
from services.catalog.importing.catalogue_yaml import (
    WrittenCatalogue,
    WrittenProcedure,
    WrittenSection,
    WrittenShared,
    WrittenUse,
)
from services.catalog.importing.form_mistakes import (
    mistakes_of_conditions,
    mistakes_of_pages,
    placed_sections,
)
from services.catalog.importing.marked_yaml import BadYAML, Marked, Mistake, Path, read_marked
from services.catalog.importing.question_yaml import WrittenCondition, WrittenField
from services.catalog.importing.wording import mistakes
from services.catalog.importing.written import LANGUAGE

Named = tuple[Path, str]
"""Where something stands, and what it is called."""


class CatalogueError(Exception):
    """A file that is no catalogue: every mistake that was found, in the order of its lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes: Sequence[Mistake] = tuple(sorted(mistakes, key=lambda one: one.line))
        super().__init__("\n".join(str(one) for one in self.mistakes))


def read_catalogue(text: str) -> CatalogueFile:
    """The catalogue that `text` describes. Raises CatalogueError with all that is to be mended."""
    try:
        marked = read_marked(text)
    except BadYAML as error:
        raise CatalogueError([error.mistake]) from error
    try:
        written = WrittenCatalogue.model_validate(
            marked.value, context={"language": _language(marked)}
        )
    except ValidationError as error:
        raise CatalogueError(mistakes(error.errors(include_url=False), marked)) from error
    if found := list(dict.fromkeys(_mistakes_of_the_whole(written, marked))):
        raise CatalogueError(found)
    return CatalogueFile(
        tuple(
            WantedCategory(
                slug=category.slug,
                title=category.title,
                about=category.about or {},
                icon=category.icon,
                procedures=tuple(
                    _procedure(procedure, written.shared) for procedure in category.procedures
                ),
            )
            for category in written.categories
        )
    )


def _language(marked: Marked) -> str | None:
    """The file's language, which its texts are read by; none where it is a mistake itself."""
    written = marked.value.get("language") if isinstance(marked.value, dict) else None
    return written if isinstance(written, str) and re.fullmatch(LANGUAGE, written) else None


def _mistakes_of_the_whole(written: WrittenCatalogue, marked: Marked) -> Iterator[Mistake]:
    categories: list[Named] = [
        (("categories", at), category.slug) for at, category in enumerate(written.categories)
    ]
    procedures: list[tuple[Path, WrittenProcedure]] = [
        (("categories", at, "procedures", place), procedure)
        for at, category in enumerate(written.categories)
        for place, procedure in enumerate(category.procedures)
    ]
    yield from _twice("categories", categories, marked)
    yield from _twice("procedures", [(path, one.slug) for path, one in procedures], marked)
    registrations = [path for path, one in procedures if one.opens == "registration"]
    for path in registrations[1:]:
        yield Mistake(
            marked.line_of((*path, "opens")),
            "A second procedure opens the registration.",
            f"Keep the one on line {marked.line_of(registrations[0])}.",
        )
    for name, shared in written.shared.items():
        yield from _twice("fields of a section", _keys(("shared", name), shared), marked)
    for path, procedure in procedures:
        yield from _mistakes_of_a_form(path, procedure, written.shared, marked)


def _mistakes_of_a_form(
    path: Path, procedure: WrittenProcedure, shared: dict[str, WrittenShared], marked: Marked
) -> Iterator[Mistake]:
    """Shared sections that exist, and keys that stand once in the whole form."""
    sections: list[Named] = []
    fields: list[Named] = []
    for at, section in enumerate(procedure.sections):
        place: Path = (*path, "sections", at)
        if isinstance(section, WrittenSection):
            sections.append((place, section.key))
            fields.extend(_keys(place, section))
        elif section.use in shared:
            sections.append((place, section.use))
            # Told on the line of the use; what stands twice in the section itself is told there.
            keys = dict.fromkeys(field.key for field in shared[section.use].fields)
            fields.extend((place, key) for key in keys)
        else:
            known = ", ".join(f"`{name}`" for name in shared) or "none"
            what = f"No shared section is called `{section.use}`."
            yield Mistake(marked.line_of(place), what, f"There are: {known}.")
    if section_mistakes := list(_twice("sections of a form", sections, marked)):
        yield from section_mistakes  # whose fields would all be told, too
        return
    twice = list(_twice("fields of a form", fields, marked))
    placed = list(placed_sections(path, procedure, shared))
    yield from twice
    if not twice and len(placed) == len(procedure.sections):
        yield from mistakes_of_conditions(placed, marked)
        yield from mistakes_of_pages(path, procedure, placed, marked)


def _keys(path: Path, section: WrittenShared) -> list[Named]:
    return [((*path, "fields", at), field.key) for at, field in enumerate(section.fields)]


def _twice(things: str, named: list[Named], marked: Marked) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for path, name in named:
        line = marked.line_of(path)
        if name in first:
            what = f"Two {things} are called `{name}` (the first on line {first[name]})."
            yield Mistake(line, what, "Give one of them another name.")
        first.setdefault(name, line)


def _procedure(written: WrittenProcedure, shared: dict[str, WrittenShared]) -> WantedProcedure:
    return WantedProcedure(
        slug=written.slug,
        title=written.title,
        description=written.description,
        minutes=written.minutes,
        opens=written.opens,
        form=_form(written, shared) if written.opens == "form" else None,
    )


def _form(written: WrittenProcedure, shared: dict[str, WrittenShared]) -> Form:
    sections = [
        (one.use, shared[one.use]) if isinstance(one, WrittenUse) else (one.key, one)
        for one in written.sections
    ]
    return Form(
        sections=tuple(_section(key, section) for key, section in sections),
        pages=tuple(Page(title=page.title, sections=page.sections) for page in written.pages),
    )


def _section(key: str, written: WrittenShared | WrittenSection) -> Section:
    return Section(
        key=key,
        title=written.title,
        subtitle=written.subtitle,
        recap_subtitle=written.recap_subtitle,
        fields=tuple(_field(field) for field in written.fields),
        shown_when=_conditions(written.shown_when),
        repeats=None if written.repeats is None else Repeats(**dict(written.repeats)),
    )


def _field(written: WrittenField) -> Field:
    choices = tuple(Choice(value=one.value, label=one.label) for one in written.choices)
    shown_when = _conditions(written.shown_when)
    return Field(**{**dict(written), "choices": choices, "shown_when": shown_when})


def _conditions(written: tuple[WrittenCondition, ...]) -> tuple[Condition, ...]:
    return tuple(Condition(**dict(one)) for one in written)
