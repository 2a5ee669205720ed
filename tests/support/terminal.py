"""What somebody in front of a terminal does with an installation, and sees of it."""

import asyncio
import re
import time
from email.message import EmailMessage

from tests.support.post_office import PostOffice
from tests.support.process import Guichet
from tests.support.towns import Visitor, words_of
from tests.support.waiting import until


def demo_password(guichet: Guichet) -> str:
    """As the terminal showed it."""
    shown = re.search(r"^ {4}demo +password (\S+) ", guichet.said(), re.MULTILINE)
    assert shown is not None, guichet.said()
    return shown[1]


async def sign_in_as_demo(guichet: Guichet, password: str) -> str:
    """The words of the page that a demo customer gets to."""
    visitor = Visitor(guichet.http_port)
    page = await visitor.press(
        await visitor.get("/sign-in"), "/sign-in", username="demo", password=password
    )
    await visitor.close()
    return words_of(page)


async def status_of(guichet: Guichet, slug: str, path: str = "/") -> int:
    """What a visitor of that tenant gets."""
    visitor = Visitor(guichet.http_port, host=f"{slug}.localhost")
    try:
        return (await visitor.once("GET", path)).status_code
    finally:
        await visitor.close()


async def comes_to(guichet: Guichet, slug: str, wanted: int, path: str = "/") -> float:
    """How long it takes until a visitor of that tenant gets this status, in seconds."""
    began = time.monotonic()
    while await status_of(guichet, slug, path) != wanted:
        assert time.monotonic() - began < 20, f"{slug}{path} never came to {wanted}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def run(guichet: Guichet, *arguments: str, status: int = 0) -> str:
    """Run a command. Answers what it said."""
    done = await asyncio.to_thread(guichet.command, *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


async def mail_to(post_office: PostOffice, address: str) -> EmailMessage:
    """The mail that this address is sent before long."""
    assert await asyncio.to_thread(until, lambda: post_office.mails_to(address), 20)
    return post_office.mails_to(address)[0]
