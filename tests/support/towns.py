"""Towns at the portal over HTTP, by the real pages and the real mails, as browsers go.

Each is patient: where no answer comes, or one that says to come back, it sends the same again, as a
person presses Reload. What a page has confirmed is kept, to be held against the databases.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from html import unescape
from http.cookiejar import CookieJar
from urllib.parse import urlsplit

import httpx

from tests.support.forms import form_in
from tests.support.installation import BROWSER, link_in
from tests.support.people import MOST_STEPS
from tests.support.post_office import PostOffice

HOST = "ypok.localhost"
PROCEDURE = "anomalie-logiciel-ypolice"
PASSWORD = "sept vélos rouges dorment"
COME_BACK = frozenset({500, 502, 503})
PATIENCE_S = 120.0
PAUSE_S = 0.05
RELOAD_S = 0.25
"""Shorter, those who ask in vain take the time of the process that is to start."""

NUMBER = re.compile(r"\b\d{4}-\d{6}\b")


class Impatient(AssertionError):
    """What was to come about did not, for all the time that was given to it."""


class Visitor:
    """A browser at the portal, with a cookie jar of its own."""

    def __init__(self, port: int, *, host: str = HOST, patience_s: float = PATIENCE_S) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={**BROWSER, "Host": f"{host}:{port}"},
            timeout=30,
        )
        self._patience_s = patience_s
        self.refused: list[int] = []  # statuses that said to come back
        self.lost = 0  # requests that no answer came to

    @property
    def jar(self) -> CookieJar:
        """The cookies that it holds."""
        return self._client.cookies.jar

    async def close(self) -> None:
        """Leave."""
        await self._client.aclose()

    async def once(
        self, method: str, path: str, data: dict[str, str] | None = None
    ) -> httpx.Response:
        """One request, its answer as it is. Raises httpx.TransportError."""
        return await self._client.request(method, path, data=data)

    async def get(self, path: str) -> httpx.Response:
        """A page, by as many tries and along as many redirections as it takes."""
        return await self._page("GET", path)

    async def post(self, path: str, data: dict[str, str]) -> httpx.Response:
        """Send a form, and the page that it leads to."""
        return await self._page("POST", path, data)

    async def press(
        self, page: httpx.Response, action: str | None = None, **typed: str
    ) -> httpx.Response:
        """Fill in the page's form, or that of this action, and send it."""
        form = form_in(page.text, action)
        return await self.post(form.action, form.filled(**typed))

    async def _page(
        self, method: str, path: str, data: dict[str, str] | None = None
    ) -> httpx.Response:
        until = time.monotonic() + self._patience_s
        while time.monotonic() < until:
            try:
                answer = await self.once(method, path, data)
            except httpx.TransportError:
                self.lost += 1
                await asyncio.sleep(RELOAD_S)
                continue
            if answer.status_code in COME_BACK:
                self.refused.append(answer.status_code)
                await asyncio.sleep(RELOAD_S)
            elif answer.status_code == 202:  # it completes itself
                await asyncio.sleep(PAUSE_S)
                path = answer.headers["refresh"].partition("url=")[2]
                method, data = "GET", None
            elif answer.status_code == 303:
                target = urlsplit(answer.headers["location"])
                path = f"{target.path}?{target.query}" if target.query else target.path
                method, data = "GET", None
            else:
                return answer
        raise Impatient(f"{method} {path}")


@dataclass
class Town:
    """A town hall: what it types, and what the portal confirmed to it."""

    name: str
    visitor: Visitor
    post_office: PostOffice
    password: str = PASSWORD
    username: str = ""
    registered: bool = False
    activated: bool = False
    numbers: dict[str, str] = field(default_factory=dict)  # of its requests, by their mark

    @property
    def address(self) -> str:
        """Its mailbox."""
        return f"mairie@{self.name}.example"

    async def registers(self) -> None:
        """J2, up to the banner."""
        page = await self.visitor.get("/register")
        page = await self.visitor.press(page, accepted="yes")
        page = await self.visitor.press(
            page,
            town_name=self.name,
            city=self.name,
            postcode="69700",
            birth_name=f"Dupré-{self.name}",
            first_name="Anne-Cécile",
            email=self.address,
        )
        page = await self.visitor.press(page, "/register/save")
        assert "La demande Création de compte a été enregistrée." in words_of(page), page.text
        self.registered = True

    async def activates(self) -> None:
        """J3, by the link of the mail; signs in where the answer to the button was lost."""
        link = urlsplit(link_in(await self.mail("Création du compte usager")))
        page = await self.visitor.get(f"{link.path}?{link.query}")
        form = form_in(page.text)
        self.username = form.inputs["username"].value
        lost = self.visitor.lost
        page = await self.visitor.press(page, password=self.password, password_again=self.password)
        if page.status_code != 200 or "Mon compte" not in words_of(page):
            assert self.visitor.lost > lost or self.visitor.refused, page.text
            await self.signs_in()
        self.activated = True

    async def signs_in(self) -> None:
        """J4."""
        page = await self.visitor.get("/sign-in")
        if "Mon compte" in words_of(page):  # it is signed in already
            return
        page = await self.visitor.press(
            page, "/sign-in", username=self.username, password=self.password
        )
        assert "Mon compte" in words_of(page), page.text

    async def files(self, mark: str, procedure: str = PROCEDURE) -> str:
        """J6, up to the banner with the number. The mark stands in the long answers."""
        page = await self.visitor.get(f"/procedures/{procedure}")
        for _ in range(MOST_STEPS):
            form = form_in(page.text)
            areas = {one.name: mark for one in form.inputs.values() if one.kind == "textarea"}
            page = await self.visitor.post(form.action, form.filled(**areas))
            if form.action.endswith("/recap"):
                break
        words = words_of(page)
        assert page.status_code == 200, page.text
        assert "a été enregistrée." in words, page.text
        number = NUMBER.search(words)
        assert number is not None, page.text
        self.numbers[mark] = number[0]
        return number[0]

    async def mail(self, subject_line: str, within_s: float = PATIENCE_S) -> EmailMessage:
        """The first mail to it with this subject."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for one in self.post_office.mails_to(self.address):
                if str(one["Subject"]) == subject_line:
                    return one
            await asyncio.sleep(PAUSE_S)
        raise Impatient(f"no mail “{subject_line}”")


def words_of(page: httpx.Response) -> str:
    """What the page says, without tags; all blanks alike."""
    inside = page.text.partition("<body")[2].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


class Load:
    """Towns that register, activate and file, one life after the other, until the block ends.

    Each life that was begun is finished before the block is left.
    """

    def __init__(
        self, port: int, post_office: PostOffice, *, at_once: int, kind: str = "ville"
    ) -> None:
        self.towns: list[Town] = []
        self._kind = kind
        self._port = port
        self._post_office = post_office
        self._at_once = at_once
        self._over = False
        self._lives: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Load":
        self._lives = [asyncio.create_task(self._whole_lives()) for _ in range(self._at_once)]
        self._lives.append(asyncio.create_task(self._registrations()))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over = True
        if kind is not None:
            self.check()  # what ended a life before its time may be the cause
            for life in self._lives:
                life.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)
            return
        await asyncio.gather(*self._lives)

    def secrets(self) -> set[str]:
        """What no log may hold of these towns: who they are, and what they wrote and typed."""
        return {
            secret
            for town in self.towns
            for secret in (town.address, f"Dupré-{town.name}", town.password, *town.numbers)
        }

    def check(self) -> None:
        """Raise what ended a life before its time."""
        for life in self._lives:
            if life.done():
                life.result()

    def vain_tries(self) -> int:
        """How often a page had to be asked for again."""
        return sum(town.visitor.lost + len(town.visitor.refused) for town in self.towns)

    def _town(self) -> Town:
        name = f"{self._kind}-{len(self.towns) + 1:04}"
        town = Town(name, Visitor(self._port), self._post_office)
        self.towns.append(town)
        return town

    async def _whole_lives(self) -> None:
        while not self._over:
            town = self._town()
            await town.registers()
            await town.activates()
            for turn in range(3):
                await town.files(f"marque-{turn}-de-{town.name}.")
            await town.visitor.close()

    async def _registrations(self) -> None:
        """Accounts that nobody activates: they don't wait for mails, nor for what files."""
        while not self._over:
            town = self._town()
            await town.registers()
            await town.visitor.close()
            await asyncio.sleep(0.2)
