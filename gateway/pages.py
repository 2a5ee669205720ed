"""The gateway's own answers: few, in the reader's language, and the same for every path.

Where the tenant is known they stand on its layout; a portal that is closed, or none, has none.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from chassis.principals import ANONYMOUS, Call, Principal
from chassis.web.assets import asset
from chassis.web.errors import problem_page
from chassis.web.gallery import gallery_page
from chassis.web.i18n import N_
from chassis.web.pages import VARY, Pages, language_tag
from chassis.web.tenant_view import TenantView
from contracts.identity import TenantChanged

Kind = tuple[int, str, str]
"""Status, heading and text of an answer."""

pages = Pages("gateway")

PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="{stylesheet}"></head>
<body class="bare"><main class="bare-page"><h1>{title}</h1>{paragraphs}</main></body>
</html>
"""

UNKNOWN_HOST = (
    404,
    N_("No portal at this address"),
    N_("Check the address, or ask whoever gave it to you."),
)
NO_PAGE = (
    404,
    N_("Page not found"),
    N_("This page does not exist. Check the address, or start from the home page."),
)
NOT_READY = (
    503,
    N_("The service is starting"),
    N_("It will answer in a moment. Reload this page shortly."),
)
AWAY = (
    503,
    N_("The service is away for a moment"),
    N_("Nothing that you saved is lost. Reload this page shortly."),
)
SUSPENDED = (
    503,
    N_("This portal is closed for now"),
    N_("Its address and your account are kept. Ask the support team when it opens again."),
)
CROSS_SITE = (
    403,
    N_("This form was not sent from this portal"),
    N_("Open the page again here, then send the form. Nothing was recorded."),
)
TOO_MANY = (
    429,
    N_("Too many attempts"),
    N_("Wait a moment, then try again."),
)
TOO_LARGE = (
    413,
    N_("This is too large"),
    N_("Shorten what you send, then try again. Nothing was recorded."),
)
NO_LENGTH = (
    411,
    N_("The length is missing"),
    N_("Your browser did not say how much it sends. Try again, or with another browser."),
)
NO_METHOD = (
    405,
    N_("This page can’t be used that way"),
    N_("Open it again from the home page."),
)
GALLERY = (200, "", "")  # which says for itself what it is
NO_CHOICE = (
    400,
    N_("This choice is not offered here"),
    N_("Go back, and choose among what is shown. Nothing was changed."),
)


def answer(
    kind: Kind,
    scope: Scope,
    tenant: TenantChanged | None,
    principal: Principal = ANONYMOUS,
    *,
    language: str = "",
    theme: str = "",
    retry_s: float | None = None,
) -> Response:
    """One of the answers above as a page."""
    status, title, text = kind
    headers = {} if retry_s is None else {"Retry-After": str(max(1, round(retry_s + 0.5)))}
    if tenant is None or kind is SUSPENDED:
        return _bare(kind, tenant, language, headers)
    http = reading(scope, tenant, principal, language=language, theme=theme)
    if kind is GALLERY:
        return gallery_page(http, pages)
    return problem_page(http, status, title=title, text=text, headers=headers, pages=pages)


def reading(
    scope: Scope, tenant: TenantChanged, principal: Principal, *, language: str, theme: str
) -> Request:
    """The HTTP request as pages are drawn for it: whose portal, who reads, and how."""
    view = TenantView.of(tenant)
    call = Call(tenant.tenant_id, "", principal, language=language, theme=theme)
    return Request({**scope, "state": {"tenant_view": view, "principal": principal, "call": call}})


def _bare(
    kind: Kind, tenant: TenantChanged | None, wanted: str, headers: dict[str, str]
) -> Response:
    status, title, text = kind
    view = TenantView.of(tenant) if tenant else None
    language = pages.language(view, wanted)
    translate = pages.catalogues.translator(language).gettext
    lines = [escape(translate(text))]
    if view is not None:
        lines += [escape(one) for one in (view.support_phone, view.support_mail) if one]
    body = PAGE.format(
        language=escape(language_tag(language)),
        title=escape(translate(title)),
        paragraphs="".join(f"<p>{line}</p>" for line in lines),
        stylesheet=escape(asset("guichet.css")),
    )
    headers = {**headers, "Content-Language": language_tag(language), "Vary": VARY}
    return Response(body, status, headers, "text/html; charset=utf-8")
