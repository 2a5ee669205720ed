"""The pages of a form: as it declares them, else a page a section where there is much to ask."""

from contracts.forms import Form
from contracts.words import Text

MOST_ON_ONE_PAGE = 8
"""Questions; a form with more of them, and no pages of its own, has a page for each section."""


class PageForm(Form):
    """One page of a form, which is read and drawn as a form is.

    It knows the whole, since its conditions may be on answers of earlier pages. Made by `pages_of`
    alone, and not validated again: of a page alone, conditions would look back to nothing.
    """

    whole: Form
    title: Text | None = None


def pages_of(form: Form) -> tuple[Form, ...]:
    """The form cut into its pages; the form itself where one page holds it all."""
    if form.pages:
        cut = [(page.sections, page.title) for page in form.pages]
    elif len(list(form.fields())) > MOST_ON_ONE_PAGE:
        cut = [((section.key,), section.title) for section in form.sections]
    else:
        return (form,)
    return tuple(_page(form, keys, title) for keys, title in cut)


def _page(whole: Form, keys: tuple[str, ...], title: Text | None) -> PageForm:
    return PageForm.model_construct(
        key=whole.key,
        sections=tuple(one for one in whole.sections if one.key in keys),
        pages=(),
        whole=whole,
        title=title,
    )


def whole_of(form: Form) -> Form:
    """The form that a page is of; a form that is no page is the whole."""
    return form.whole if isinstance(form, PageForm) else form
