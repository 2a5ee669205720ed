"""What only a whole form can tell: conditions on earlier questions, and how it is cut in pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from contracts.forms import CHOOSING
from services.catalog.importing.catalogue_yaml import (
    WrittenProcedure,
    WrittenSection,
    WrittenShared,
    WrittenUse,
)
from services.catalog.importing.marked_yaml import Marked, Mistake, Path
from services.catalog.importing.question_yaml import WrittenCondition, WrittenField

_ANSWERS = {"yes_no": ("yes", "no"), "checkbox": ("yes",)}


@dataclass(frozen=True)
class Placed:
    """A section in its place in a form, under its name there."""

    name: str
    path: Path  # where it is written: in the form, or among the shared ones
    section: WrittenShared


def placed_sections(
    path: Path, procedure: WrittenProcedure, shared: Mapping[str, WrittenShared]
) -> Iterator[Placed]:
    """The sections of a form, those that it uses included. Unknown ones are passed over."""
    for at, one in enumerate(procedure.sections):
        if isinstance(one, WrittenUse):
            if one.use in shared:
                yield Placed(one.use, ("shared", one.use), shared[one.use])
        else:
            assert isinstance(one, WrittenSection)
            yield Placed(one.key, (*path, "sections", at), one)


def mistakes_of_conditions(sections: Sequence[Placed], marked: Marked) -> Iterator[Mistake]:
    """Conditions on what is not asked before, or on answers that a question does not take."""
    earlier: dict[str, WrittenField] = {}
    every = {field.key: one for one in sections for field in one.section.fields}
    for one in sections:
        for at, condition in enumerate(one.section.shown_when):
            line = marked.line_of(_place(one.path, at, marked))
            yield from _mistakes(condition, earlier, every, one, line)
        within = dict(earlier)
        for number, field in enumerate(one.section.fields):
            for at, condition in enumerate(field.shown_when):
                place = _place((*one.path, "fields", number), at, marked)
                yield from _mistakes(condition, within, every, one, marked.line_of(place))
            within[field.key] = field
        if one.section.repeats is None:
            earlier = within


def mistakes_of_pages(
    path: Path, procedure: WrittenProcedure, sections: Sequence[Placed], marked: Marked
) -> Iterator[Mistake]:
    """Pages that do not hold every section once, in the order of the form."""
    names = [one.name for one in sections]
    paged: list[str] = []
    for at, page in enumerate(procedure.pages):
        for number, name in enumerate(page.sections):
            line = marked.line_of((*path, "pages", at, "sections", number))
            if name not in names:
                known = ", ".join(f"`{one}`" for one in names)
                what = f"No section of this form is called `{name}`."
                yield Mistake(line, what, f"There are: {known}.")
            elif name in paged:
                what = f"The section `{name}` stands on two pages."
                yield Mistake(line, what, "Take it out of one of them.")
            elif names.index(name) < max((names.index(one) for one in paged), default=-1):
                what = f"The section `{name}` stands behind one that follows it in the form."
                yield Mistake(line, what, "Give pages and sections one order.")
                paged.append(name)
            else:
                paged.append(name)
    if procedure.pages:
        line = marked.line_of((*path, "pages"))
        for name in names:
            if name not in {one for page in procedure.pages for one in page.sections}:
                what = f"The section `{name}` stands on no page."
                yield Mistake(line, what, "Add it to the `sections` of a page.")


def _place(path: Path, at: int, marked: Marked) -> Path:
    """Where a condition is written: in a list, or alone."""
    listed = (*path, "shown_when", at)
    return listed if listed in marked.lines else (*path, "shown_when")


def _mistakes(
    condition: WrittenCondition,
    earlier: Mapping[str, WrittenField],
    every: Mapping[str, Placed],
    here: Placed,
    line: int,
) -> Iterator[Mistake]:
    field = earlier.get(condition.field)
    if field is None:
        yield _not_before(condition.field, earlier, every, here, line)
    elif field.kind == "file":
        what = f"`{field.key}` takes files, on which nothing can depend."
        yield Mistake(line, what, "Name another question.")
    elif condition.one_of or condition.none_of:
        yield from _mistakes_of_answers(condition, field, line)


def _not_before(
    key: str,
    earlier: Mapping[str, WrittenField],
    every: Mapping[str, Placed],
    here: Placed,
    line: int,
) -> Mistake:
    if key not in every:
        close = get_close_matches(key, list(earlier), n=1)
        mend = f"Did you mean `{close[0]}`?" if close else "Name one that is asked before."
        return Mistake(line, f"No question of this form is called `{key}`.", mend)
    if every[key].section.repeats is not None and every[key].name != here.name:
        what = f"`{key}` is asked once for each entry, and can't decide outside of it."
        return Mistake(line, what, "Name a question that is asked once.")
    return Mistake(
        line,
        f"`{key}` is not asked before what depends on it.",
        "Put it further up, or name a question that stands before.",
    )


def _mistakes_of_answers(
    condition: WrittenCondition, field: WrittenField, line: int
) -> Iterator[Mistake]:
    if field.kind in CHOOSING:
        allowed: Sequence[str] = [choice.value for choice in field.choices]
    else:
        allowed = _ANSWERS.get(field.kind, ())
    if not allowed:
        what = f"`{field.key}` is a {field.kind}, whose answers a condition can't name."
        yield Mistake(line, what, "Write `answered: true` or `answered: false`.")
        return
    for value in (*condition.one_of, *condition.none_of):
        if value not in allowed:
            what = f"`{value}` is no answer to `{field.key}`."
            yield Mistake(line, what, f"Use one of: {', '.join(f'`{one}`' for one in allowed)}.")
