"""The inbox page and a mail's page, in the browser's language, without scripts.

The list does not refresh by itself, which would move what is being read: it has a link. A mail is
shown as its reader's program may show it: on a light or a dark ground, wide or as on a telephone.
"""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_decimal
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from chassis.web.i18n import DEFAULT_LANGUAGE, Catalogues, current_language, speaking
from chassis.web.negotiation import accepted
from chassis.words import locale_of
from guichet.mailbox.api import PAGE_SIZE, READ, Kept, Named, number, summaries
from guichet.mailbox.reading import message

HERE = Path(__file__).parent
CATALOGUES = Catalogues("guichet.mailbox")
SCHEMES, WIDTHS = ("light", "dark"), ("wide", "narrow")
# A link of a mail opens in the whole window, free of the frame's limits.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    f"form-action 'none'; frame-ancestors 'self'; sandbox {SANDBOX}"
)

router = APIRouter()


@router.api_route("/", methods=READ)
def inbox(http: Request, store: Kept) -> Response:
    start, ids = number(http, "start", 0), store.ids()
    mails = summaries(store, ids[start : start + PAGE_SIZE])
    return HTMLResponse(
        render(http, "inbox.html", mails=mails, start=start, size=PAGE_SIZE, total=len(ids))
    )


@router.api_route("/view/{id}.html", methods=READ)
def html_part(mail: Named) -> Response:
    """As the sender wrote it; the policy keeps scripts, forms and the network from it."""
    html = re.sub(
        r"^(\s*<!doctype[^>]*>)?",  # what stood before it would turn on the quirks mode
        r'\1<base target="_top">',
        message(mail)["HTML"],
        count=1,
        flags=re.IGNORECASE,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


@router.api_route("/view/{id}", methods=READ)
def mail_page(http: Request, mail: Named) -> Response:
    return HTMLResponse(
        render(
            http,
            "mail.html",
            mail=message(mail),
            received=mail.received_at,
            sandbox=SANDBOX,
            scheme=_one_of(SCHEMES, http.query_params.get("scheme")),
            width=_one_of(WIDTHS, http.query_params.get("width")),
        )
    )


@router.api_route("/style.css", methods=READ)
def style() -> Response:
    return FileResponse(HERE / "style.css", media_type="text/css")


def render(http: Request, name: str, **values: Any) -> str:
    """A template of this package in words."""
    wanted = http.headers.get("accept-language", "")
    language = accepted(wanted, CATALOGUES.languages) or DEFAULT_LANGUAGE
    with speaking(language):
        return _templates().get_template(name).render(language=language, **values)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("guichet.mailbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    CATALOGUES.install(environment)
    environment.filters["instant"] = _instant
    environment.filters["kilobytes"] = _kilobytes
    return environment


def _one_of(offered: tuple[str, ...], wanted: str | None) -> str:
    return wanted if wanted in offered else offered[0]


def _instant(moment: datetime | str) -> str:
    """In this machine's zone: whoever reads the page sits in front of it."""
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return format_datetime(
        moment.astimezone(), "d MMM y, HH:mm:ss", locale=locale_of(current_language.get())
    )


def _kilobytes(size_bytes: int) -> str:
    return format_decimal(-(-size_bytes // 1000), locale=locale_of(current_language.get()))
