"""Pages: templates of a service on the shared layout, and the answers that lead to another page.

A service makes one `Pages` and renders its slices' templates by `<slice>/<name>.html`, found in
`<slice>/templates/`. Templates are given `tenant`, `principal`, `here`, `language` (and all
`languages` that the portal speaks), `theme_choice`, `back` (where a switch leads back to), and the
functions `url_for`, `asset`, `icon`; texts of forms go through the filter `say`, what a tenant or
a customer wrote through `shown`. What is in another language than the page says so by itself; in
attributes, `<title>` and `<option>`, which take no element, it is printed through `plain`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from importlib import resources
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from lucide.jinja import lucide
from starlette.datastructures import UploadFile
from starlette.routing import Match

from chassis.forms import Entry, Group, Message, Question, entry_title, grouped_phone, input_names
from chassis.principals import ANONYMOUS, Call, Principal
from chassis.web import held, i18n, links, palette
from chassis.web.assets import asset
from chassis.web.own_links import own_path
from chassis.web.tenant_view import TenantView
from chassis.web.tongues import in_its_tongue, lang, plain
from chassis.words import N_
from contracts.forms import AnsweredField, Condition, Field
from contracts.words import Text

HTTPRequest = Request

VARY = "Accept-Language, Cookie"  # by which the gateway chooses the language
UNPROCESSABLE = 422  # the page of a form with what is to be put right


class Pages:
    """The templates and catalogues of one package, such as `services.identity`."""

    def __init__(self, package: str) -> None:
        self.catalogues = i18n.Catalogues(package)
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [
                    SliceLoader(package),
                    jinja2.FileSystemLoader(str(resources.files("chassis.web") / "templates")),
                ]
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.catalogues.install(self._environment)
        self._environment.globals.update(
            asset=asset, icon=icon, links=links, whose=held.current_mark.get
        )
        self._environment.tests["picked_or_empty"] = _is_picked_or_empty
        self._environment.filters.update(
            say=self._say,
            shown=in_its_tongue,
            plain=plain,
            lang=lang,
            said=self._said,
            groups=_groups,
            offered=self._offered,
            entry_title=self._entry_title,
            first_input=lambda one: input_names(one)[0],
            as_json=_as_json,
            size=self.size,
            phone=grouped_phone,
            facts=_facts,
            day=i18n.format_date,
            moment=i18n.format_datetime,
            stamp=i18n.format_stamp,
            number=i18n.format_number,
            age=i18n.format_age,
            language_name=i18n.name_of,
            language_tag=language_tag,
        )

    def render(
        self,
        http: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The page. A form with errors goes by the name `form`, with status 422."""
        view = tenant_view(http)
        language = self.language(view, wanted_language(http))
        with (
            i18n.speaking(language, view.timezone if view else None),
            held.marking(_mark(http)),
        ):
            text = self._environment.get_template(template).render(
                tenant=view,
                theme=palette.theme_path(view.slug, view.brand_colour) if view else None,
                principal=principal(http),
                language=language_tag(language),
                languages=self.offered(view, language),
                theme_choice=theme_choice(http),
                here=http.url.path,
                back=_way_back(http, status),
                url_for=partial(own_path, http),
                **context,
            )
        return HTMLResponse(
            text,
            status_code=status,
            headers={
                "Cache-Control": "private, no-cache",
                "Content-Language": language_tag(language),
                "Vary": VARY,
                **(headers or {}),
            },
        )

    def language(self, view: TenantView | None, wanted: str = "") -> str:
        """The language to speak: the one that is wanted, else the tenant's first that there is."""
        choices = (wanted, *(view.languages if view else ()))
        return next((one for one in choices if self.catalogues.speaks(one)), i18n.DEFAULT_LANGUAGE)

    def offered(self, view: TenantView | None, spoken: str) -> tuple[str, ...]:
        """The languages to choose from: the tenant's that there are; the one that is spoken too."""
        offered = [one for one in (view.languages if view else ()) if self.catalogues.speaks(one)]
        return tuple(offered if spoken in offered else [*offered, spoken])

    def _said(self, message: Message) -> str:
        """The filter `said`: a message, with instants and numbers as readers write them."""
        language = i18n.current_language.get()
        facts = {name: _readable(fact) for name, fact in message.facts.items()}
        said = Message(message.text, facts, message.label).said(language, self.catalogues.translate)
        return in_its_tongue(message.text, said)

    def _say(self, text: Text) -> str:
        """The filter `say`: a text of a form, a msgid by the catalogue."""
        return self.catalogues.say(text) if isinstance(text, str) else in_its_tongue(text)

    def _offered(self, one: Field) -> list[tuple[str, str]]:
        """The filter `offered`: the answers to choose from, as sent and as read."""
        return [(choice.value, self._say(choice.label)) for choice in one.choices]

    def _entry_title(self, entry: Entry, group: Group) -> str:
        """The filter `entry_title`: what an entry of a repeating section is called."""
        return self._say(entry_title(group.section, entry.number))

    def size(self, size_bytes: int) -> str:
        """Of a file, as people read it in the current language; the filter `size` too."""
        large = size_bytes >= 1_000_000
        unit = N_("%(size)s MB") if large else N_("%(size)s kB")
        size = Decimal(max(size_bytes, 1000)) / (1_000_000 if large else 1000)
        rounded = size.quantize(Decimal("0.1") if large else Decimal(1))
        return self.catalogues.say(unit) % {"size": i18n.format_number(rounded)}


class SliceLoader(jinja2.BaseLoader):
    """Finds `<slice>/<name>.html` of a package in the slice's own `templates` folder."""

    def __init__(self, package: str) -> None:
        self._root = resources.files(package)

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        """Jinja's own protocol."""
        found = re.fullmatch(r"([a-z][a-z0-9_]*)/((?:[a-z0-9_]+/)*[a-z0-9_]+\.[a-z]+)", template)
        if found is not None:
            file = self._root / found[1] / "templates" / found[2]
            if file.is_file():
                return file.read_text("utf-8"), str(file), lambda: True
        raise jinja2.TemplateNotFound(template)


def tenant_view(http: Request) -> TenantView | None:
    """The tenant whose page this is; None where nobody has told yet."""
    view: TenantView | None = getattr(http.state, "tenant_view", None)
    return view


def _mark(http: Request) -> str:
    call = getattr(http.state, "call", None)
    return held.mark_of(call.tenant, principal(http).account_id) if call else ""


def principal(http: Request) -> Principal:
    """Who reads."""
    who: Principal = getattr(http.state, "principal", ANONYMOUS)
    return who


def wanted_language(http: Request) -> str:
    """The language that the gateway found the reader to want; empty: the tenant's first."""
    call: Call | None = getattr(http.state, "call", None)
    return getattr(call, "language", "")


def theme_choice(http: Request) -> str:
    """Light or dark, as the reader chose; auto: as their system has it."""
    call: Call | None = getattr(http.state, "call", None)
    return getattr(call, "theme", "") or "auto"


def can_be_read(http: Request) -> bool:
    """Does a GET of this address lead somewhere?"""
    if http.method in {"GET", "HEAD"}:
        return True
    scope = {**http.scope, "method": "GET"}
    return any(route.matches(scope)[0] is Match.FULL for route in http.app.router.routes)


def language_tag(language: str) -> str:
    """The filter `language_tag`: the language as HTML and HTTP write it (RFC 5646)."""
    return language.replace("_", "-")


def see_other(
    http: Request, route_name: str, query: Mapping[str, str] | None = None, **path_params: Any
) -> RedirectResponse:
    """On to another page of this service, by GET."""
    path = own_path(http, route_name, **path_params)
    return see_other_path(f"{path}?{urlencode(query)}" if query else path)


def see_other_path(path: str) -> RedirectResponse:
    """On to a page of any part, by GET."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


async def submitted(http: Request) -> dict[str, str]:
    """What a form's button sent, by the names of its inputs; files are left out.

    What several inputs of one name sent is joined by line ends, as `chassis.forms` reads it.
    """
    async with http.form(max_files=0, max_fields=1000) as sent:
        values: dict[str, list[str]] = {}
        for key, value in sent.multi_items():
            if not isinstance(value, UploadFile):
                values.setdefault(key, []).append(value)
        return {key: "\n".join(several) for key, several in values.items()}


@cache
def icon(name: str, size: int = 20) -> str:
    """A Lucide icon, for decoration beside words."""
    attributes: dict[str, object] = {"class": "icon", "aria-hidden": "true", "focusable": "false"}
    return lucide(name, size=size, **attributes)


def _groups(questions: Sequence[Question]) -> list[tuple[Text | None, list[Question]]]:
    """The filter `groups`: neighbours with one heading, under it."""
    grouped = groupby(questions, lambda one: one.field.group)
    return [(group, list(those)) for group, those in grouped]


def _as_json(conditions: Sequence[Condition]) -> str:
    """The filter `as_json`: conditions as conditions.js reads them."""
    told = [one.model_dump(mode="json", exclude_defaults=True) for one in conditions]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _facts(answers: Sequence[AnsweredField]) -> list[tuple[str, str]]:
    """The filter `facts`: questions and answers as readers of the current language see them."""
    return [(in_its_tongue(one.label), in_its_tongue(one.display)) for one in answers]


def _way_back(http: Request, status: int) -> str:
    """Where a choice of the reader leads back to: this page, or home from what is no page."""
    if (status >= 400 and status != UNPROCESSABLE) or not can_be_read(http):
        return links.HOME
    is_read = http.method in {"GET", "HEAD"}
    return f"{http.url.path}?{http.url.query}" if http.url.query and is_read else http.url.path


def _is_picked_or_empty(value: str, kind: str) -> bool:
    """The test `picked_or_empty`: can an input of type date or time show it?"""
    pattern = {"date": "[0-9]{4}-[0-9]{2}-[0-9]{2}", "time": "[0-9]{2}:[0-9]{2}"}[kind]
    return not value or re.fullmatch(pattern, value) is not None


def _readable(fact: object) -> object:
    if isinstance(fact, datetime):
        return i18n.format_datetime(fact)
    if isinstance(fact, Decimal):
        return i18n.format_number(fact)
    return fact
