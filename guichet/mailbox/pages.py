"""The inbox page and a mail's page, in French, without scripts.

The list does not refresh by itself, which would move what is being read: it has a link.
"""

import gettext
import re
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from guichet.mailbox.api import PAGE_SIZE, READ, Kept, Named, number, summaries
from guichet.mailbox.reading import message

HERE = Path(__file__).parent
LANGUAGE = "fr"
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
        render("inbox.html", mails=mails, start=start, size=PAGE_SIZE, total=len(ids))
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
def mail_page(mail: Named) -> Response:
    return HTMLResponse(
        render("mail.html", mail=message(mail), received=mail.received_at, sandbox=SANDBOX)
    )


@router.api_route("/style.css", methods=READ)
def style() -> Response:
    return FileResponse(HERE / "style.css", media_type="text/css")


def render(name: str, **values: Any) -> str:
    """A template of this package in words."""
    return _templates().get_template(name).render(language=LANGUAGE, **values)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("guichet.mailbox"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    compiled = BytesIO()
    with (HERE / "locale" / LANGUAGE / "LC_MESSAGES" / "mailbox.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=LANGUAGE))
    compiled.seek(0)
    words = gettext.GNUTranslations(compiled)
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["instant"] = _instant
    environment.filters["kilobytes"] = _kilobytes
    return environment


def _instant(moment: datetime | str) -> str:
    """In this machine's zone: whoever reads the page sits in front of it."""
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return format_datetime(moment.astimezone(), "d MMM y, HH:mm:ss", locale=LANGUAGE)


def _kilobytes(size_bytes: int) -> str:
    return format_decimal(-(-size_bytes // 1000), locale=LANGUAGE)
