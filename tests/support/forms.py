"""The forms of a page as a browser without scripts reads them, and filled in somehow."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from chassis.web import links

OF_EVERY_PAGE = frozenset({links.SIGN_OUT, links.LANGUAGE, links.THEME_CHOICE})


@dataclass
class Input:
    """A question, with what it holds and, where it offers some, its choices."""

    name: str
    kind: str
    value: str = ""
    choices: list[str] = field(default_factory=list)


@dataclass
class PageForm:
    """A form: where it posts to, and its questions."""

    action: str
    inputs: dict[str, Input] = field(default_factory=dict)
    pressed: dict[str, str] = field(default_factory=dict)
    """What the main button sends, where it has a name."""

    def filled(self, **answers: str) -> dict[str, str]:
        """What a browser would send: these answers, what stands there, else something believable.

        `name=""` leaves a question open. The main button is pressed.
        """
        sent = {one.name: one.value or _something(one) for one in self.inputs.values()}
        return {**sent, **self.pressed, **answers}


def form_in(html: str, action: str | None = None) -> PageForm:
    """The page's own form, none of those that every page has, or that with this action."""
    found = [
        one
        for one in _Reader(html).forms
        if (one.action == action if action else one.action not in OF_EVERY_PAGE)
    ]
    assert len(found) == 1, f"{len(found)} forms"
    return found[0]


def forms_in(html: str) -> list[PageForm]:
    """All of the page's own forms."""
    return [one for one in _Reader(html).forms if one.action not in OF_EVERY_PAGE]


def _something(one: Input) -> str:
    if one.choices:
        return one.choices[0]
    if one.name.endswith(".postcode"):
        return "69700"
    return {
        "hidden": "",
        "checkbox": "yes",
        "email": "mairie@givors.example",
        "tel": "04 72 00 00 00",
        "date": "2024-01-05",
        "time": "10:30",
        "number": "3",
    }.get(one.kind, "Réponse")


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._open: PageForm | None = None
        self._area = ""
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = PageForm(given["action"])
            self.forms.append(self._open)
        if self._open is None:
            return
        name = given.get("name", "")
        if tag == "textarea":
            self._area = name
            self._open.inputs[name] = Input(name, "textarea")
        elif tag == "select":
            self._select = name
            self._open.inputs[name] = Input(name, "select")
        elif tag == "option" and given["value"]:
            self._choice(self._select, given["value"], chosen="selected" in given)
        elif tag == "input" and self._is_offered(given):
            self._open.inputs.setdefault(name, Input(name, given["type"]))
            self._choice(name, given["value"], chosen="checked" in given)
        elif tag == "button" and name and "button--primary" in given.get("class", ""):
            self._open.pressed = {name: given.get("value", "")}
        elif tag == "input" and given.get("type") != "file":
            kind = "number" if "inputmode" in given else given.get("type", "text")
            box = kind == "checkbox" and "checked" not in given
            self._open.inputs[name] = Input(name, kind, "" if box else given.get("value", ""))

    @staticmethod
    def _is_offered(given: dict[str, str]) -> bool:
        """Is it one of several answers? A box that sends `yes` stands for itself."""
        kind = given.get("type")
        return kind == "radio" or (kind == "checkbox" and given.get("value", "yes") != "yes")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._area:
            self._open.inputs[self._area].value += data

    def _choice(self, name: str, value: str, *, chosen: bool) -> None:
        assert self._open is not None
        self._open.inputs[name].choices.append(value)
        if chosen:
            self._open.inputs[name].value = value
