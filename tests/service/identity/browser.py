"""A browser at identity's app: the gateway's token on each call, forms read from the pages."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from chassis import clock
from chassis.app import build_app
from chassis.principals import TOKEN_HEADER, Call, Principal, mint
from chassis.runtime import Runtime

VISITOR = Principal(browser="one")
GATEWAY = Principal(kind="part", part="gateway")


@dataclass
class SentForm:
    """A form of a page: where it goes, and what it brings along."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)

    @property
    def asked(self) -> dict[str, str]:
        """What people answer; names that begin with `_` are the pages' own."""
        return {name: value for name, value in self.values.items() if not name.startswith("_")}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[SentForm] = []
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(SentForm(given["action"]))
        elif tag == "input" and self.forms and "name" in given:
            if given.get("type") not in {"checkbox", "radio"} or "checked" in given:
                self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self._in_button = True
            self.forms[-1].buttons.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_button = self._in_button and tag != "button"

    def handle_data(self, data: str) -> None:
        if self._in_button:
            self.forms[-1].buttons[-1] += data


def form_of(page: httpx.Response, button: str) -> SentForm:
    """The form whose button says this."""
    parser = _Forms()
    parser.feed(page.text)
    return next(one for one in parser.forms if any(button == said.strip() for said in one.buttons))


def words_of(page: httpx.Response) -> str:
    """What the page says, without tags; all blanks alike."""
    inside = page.text.partition("<body>")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


@dataclass
class Browser:
    """Calls identity as the gateway would for this principal."""

    runtime: Runtime
    app: FastAPI
    tenant: UUID
    principal: Principal = VISITOR

    @classmethod
    def at(cls, runtime: Runtime, tenant: UUID, principal: Principal = VISITOR) -> "Browser":
        """A browser at that tenant's portal."""
        return cls(runtime, build_app(runtime), tenant, principal)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One call, redirections not followed."""
        token = mint(
            self.runtime.token_key,
            "identity",
            Call(self.tenant, "http", self.principal),
            clock.now(),
        )
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
            headers = {TOKEN_HEADER: token, "Accept": "text/html", **more.pop("headers", {})}
            return await client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """Open a page."""
        return await self.send("GET", path, **more)

    async def post(self, path: str, **data: str) -> httpx.Response:
        """Send a form."""
        return await self.send("POST", path, data=data)

    async def press(self, page: httpx.Response, button: str, **typed: str) -> httpx.Response:
        """Fill in that button's form, then press it."""
        form = form_of(page, button)
        return await self.send("POST", form.action, data={**form.values, **typed})

    async def look_up(self, cookie: str) -> httpx.Response:
        """What the gateway is told of this cookie here."""
        gateway = Browser(self.runtime, self.app, self.tenant, GATEWAY)
        return await gateway.send("POST", "/internal/sessions/look-up", json={"session": cookie})

    async def principal_of(self, cookie: str) -> Principal:
        """Whom the gateway makes of this cookie."""
        told = (await self.look_up(cookie)).json()
        return Principal(
            kind="person",
            account_id=UUID(told["account_id"]),
            person_id=UUID(told["person_id"]),
            organisation_id=UUID(told["organisation_id"]),
            session_id=UUID(told["session_id"]),
            roles=frozenset(told["roles"]),
            display_name=told["display_name"],
            language=told["language"],
            browser=self.principal.browser,
        )
