"""The mail catcher: real SMTP in, Mailpit's API and the pages out, on a folder of its own."""

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from guichet.mailbox import Mailbox, PortInUse
from tests.support.browser import browsing

NASTY = '<script>alert("x")</script>'


class Post:
    """A sender and a reader of one mailbox."""

    def __init__(self, folder: Path, keep: int = 5_000) -> None:
        self.box = Mailbox(folder, smtp_port=0, http_port=0, keep=keep)

    async def start(self) -> None:
        await self.box.start()
        self.web = httpx.AsyncClient(base_url=f"http://localhost:{self.box.http_port}", timeout=30)

    async def stop(self) -> None:
        await self.web.aclose()
        await self.box.stop()

    async def send(self, mail: EmailMessage | bytes, to: str = "town@example.org") -> str:
        envelope: dict[str, Any] = {"sender": "portal@example.org", "recipients": [to]}
        _, answer = await aiosmtplib.send(
            mail, hostname="127.0.0.1", port=self.box.smtp_port, start_tls=False, **envelope
        )
        return answer

    async def get(self, path: str) -> Any:
        answer = await self.web.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    post = Post(tmp_path / "mailbox")
    await post.start()
    yield post
    await post.stop()


def a_mail(subject: str = "Création du compte", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Le Service <portal@example.org>"
    mail["To"] = "Mairie de Lyon <town@example.org>"
    mail["Subject"] = subject
    mail["Message-ID"] = "<one@example.org>"
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("Bonjour,\nhttp://ypok.localhost:8080/activate/token\n")
    mail.add_alternative(
        '<!doctype html><html><body><a href="http://ypok.localhost:8080/a">Activer</a></body></html>',
        subtype="html",
    )
    return mail


async def test_the_list_has_the_shape_of_mailpit(post: Post) -> None:
    await post.send(a_mail())
    listing = await post.get("messages")
    [mail] = listing.pop("messages")
    counts = dict.fromkeys(("total", "unread", "count", "messages_count", "messages_unread"), 1)
    assert listing == counts | {"start": 0, "tags": []}
    assert mail.pop("ID")
    assert mail.pop("Created").endswith("Z")
    assert mail.pop("Size") > 400
    nobody: dict[str, Any] = {"Cc": [], "Bcc": [], "ReplyTo": [], "Tags": [], "Username": ""}
    assert mail == nobody | {
        "MessageID": "one@example.org",
        "Read": False,
        "From": {"Name": "Le Service", "Address": "portal@example.org"},
        "To": [{"Name": "Mairie de Lyon", "Address": "town@example.org"}],
        "Attachments": 0,
        "Subject": "Création du compte",
        "Snippet": "Bonjour, http://ypok.localhost:8080/activate/token",
    }


async def test_a_message_has_its_text_its_html_and_its_attachments(post: Post) -> None:
    sent = a_mail(Date="Thu, 05 Apr 2018 15:31:13 +0200")
    sent.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="reçu.pdf")
    await post.send(sent, to="hidden@example.org")
    mail = await post.get("message/latest")
    assert mail == await post.get(f"message/{mail['ID']}")
    assert mail["Text"].splitlines()[0] == "Bonjour,"
    assert ">Activer</a>" in mail["HTML"]
    assert mail["Date"] == "2018-04-05T13:31:13Z"
    assert mail["ReturnPath"] == "portal@example.org"
    assert mail["Bcc"] == [{"Name": "", "Address": "hidden@example.org"}]
    [file] = mail["Attachments"]
    assert (file["FileName"], file["ContentType"]) == ("reçu.pdf", "application/pdf")
    assert (file["Size"], file["PartID"], mail["Inline"]) == (4, "2", [])
    headers = await post.get("message/latest/headers")
    assert headers["Message-Id"] == ["<one@example.org>"]
    raw = await post.web.get("/api/v1/message/latest/raw")
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.text.startswith("From: Le Service")
    assert len(raw.content) == mail["Size"]


async def test_a_hundred_mails_at_once_are_all_kept_over_a_restart(post: Post) -> None:
    await asyncio.gather(*(post.send(a_mail(f"Mail {n}")) for n in range(100)))
    before = (await post.get("messages?limit=200"))["messages"]
    assert {mail["Subject"] for mail in before} == {f"Mail {n}" for n in range(100)}
    await post.stop()
    await post.start()
    assert (await post.get("messages?limit=200"))["messages"] == before
    await post.send(a_mail("Newest"))
    page = await post.get("messages?start=0&limit=2")
    assert [mail["ID"] for mail in page["messages"]][1:] == [before[0]["ID"]]
    assert page["messages"][0]["Subject"] == "Newest"
    assert (page["total"], page["count"]) == (101, 2)


async def test_what_a_crash_left_half_written_is_dropped(post: Post, tmp_path: Path) -> None:
    await post.stop()
    half = tmp_path / "mailbox" / "0123456789abcdef.part"
    half.write_bytes(b"From")
    await post.start()
    assert not half.exists()
    assert (await post.get("messages"))["total"] == 0


@pytest.mark.parametrize(("code", "status"), [(errno.ENOSPC, 452), (errno.EIO, 451)])
async def test_a_mail_that_cannot_be_stored_is_refused_for_now(
    post: Post, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, status: int
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr("guichet.mailbox.store.os.fsync", fail)
        with pytest.raises(aiosmtplib.SMTPDataError) as refusal:
            await post.send(a_mail())
    assert refusal.value.code == status
    assert (await post.get("messages"))["messages"] == []
    assert list((tmp_path / "mailbox").iterdir()) == []
    assert await post.send(a_mail())


async def test_the_oldest_go_beyond_the_limit(tmp_path: Path) -> None:
    post = Post(tmp_path / "mailbox", keep=2)
    await post.start()
    for n in range(4):
        await post.send(a_mail(str(n)))
    listing = await post.get("messages")
    assert [mail["Subject"] for mail in listing["messages"]] == ["3", "2"]
    assert len(list((tmp_path / "mailbox").iterdir())) == 2
    await post.stop()


HOSTILE = {
    "a break in an encoded word": b"Subject: =?utf-8?q?a=0D=0ABcc:_x@y.z?=\r\n\r\nx",
    "script": f"Subject: {NASTY}\r\nFrom: {NASTY}\r\nTo: {NASTY} <a@b.c>\r\n\r\n{NASTY}".encode(),
    "a long subject": b"Subject: " + b"x" * 1_000 + b"\r\n\r\nx",
    "groups within groups": b"To: " + b":;" * 5_000 + b"\r\nFrom: " + b"(" * 9_000 + b"\r\n\r\nx",
    "an unknown charset": b"Subject: =?nope?q?=ff?=\r\nContent-Type: text/plain; charset=nope\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n\xff",
    "octets": b"Subject: \xff\xc3\xa9\x00\r\nDate: never\r\nContent-Type: ;;;=\r\n\r\n\xff",
    "nothing": b"\r\n",
    "deep": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(1_200)
    ),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_mail_is_shown_without_harm(post: Post, raw: bytes) -> None:
    await post.send(raw)
    [mail] = (await post.get("messages"))["messages"]
    assert not any(sign in mail["Subject"] for sign in "\r\n\0")
    await post.get("message/latest/headers")
    assert (await post.get("message/latest"))["Subject"] == mail["Subject"]
    for path in ("/", f"/view/{mail['ID']}", f"/view/{mail['ID']}.html"):
        page = await post.web.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text


async def test_the_html_part_runs_nothing(post: Post) -> None:
    html = f"<!DOCTYPE html>\n<html lang=fr>{NASTY}</html>"
    await post.send(f"Content-Type: text/html\r\n\r\n{html}".encode())
    page = await post.web.get("/view/latest.html")
    assert page.text.startswith('<!DOCTYPE html><base target="_top">')
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script" not in policy


async def test_search_and_removal(post: Post) -> None:
    await post.send(a_mail("First"))
    await post.send(a_mail("Second word"))
    found = await post.get('search?query=to:TOWN@example.org subject:"second word"')
    assert [mail["Subject"] for mail in found["messages"]] == ["Second word"]
    assert (found["total"], found["messages_count"]) == (2, 1)
    assert (await post.web.get("/api/v1/search")).status_code == 400
    id = found["messages"][0]["ID"]
    bad = await post.web.request("DELETE", "/api/v1/messages", content="IDs")
    assert bad.status_code == 400
    await post.web.request("DELETE", "/api/v1/messages", json={"IDs": [id, "../../etc"]})
    assert (await post.get("messages"))["total"] == 1
    assert (await post.web.get(f"/view/{id}")).status_code == 404
    assert (await post.web.get(f"/api/v1/message/{id}")).status_code == 404
    assert (await post.web.delete("/api/v1/messages")).text == "ok"
    assert (await post.get("messages"))["total"] == 0
    assert (await post.web.get("/api/v1/message/latest")).status_code == 404


async def test_only_names_of_this_machine_are_served(post: Post) -> None:
    hosts = {"localhost": 200, "127.0.0.1:8025": 200, "[::1]:8025": 200}
    for host, status in {**hosts, "evil.example": 421, "localhost.evil.example": 421}.items():
        answer = await post.web.get("/api/v1/messages", headers={"Host": host})
        assert answer.status_code == status, host
    assert (await post.web.head("/")).status_code == 200


async def test_too_big_a_mail_is_refused_and_a_bounce_is_taken(post: Post) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=post.box.smtp_port, start_tls=False)
    async with client:
        with pytest.raises(aiosmtplib.SMTPResponseException) as refusal:
            await client.mail("a@example.org", options=["size=40000000"])
        assert refusal.value.code == 552
        await client.sendmail("", ["town@example.org"], b"Subject: Bounce\r\n\r\nx")
    assert (await post.get("message/latest"))["ReturnPath"] == ""


async def test_a_port_in_use_is_told(post: Post, tmp_path: Path) -> None:
    for smtp_port, http_port in ((post.box.smtp_port, 0), (0, post.box.http_port)):
        box = Mailbox(tmp_path / "other", smtp_port=smtp_port, http_port=http_port)
        with pytest.raises(PortInUse, match="is used by another program"):
            await box.start()
        await box.stop()


async def test_stopping_finishes_the_mail_that_is_coming_in(post: Post) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", post.box.smtp_port)
    idle, _ = await asyncio.open_connection("127.0.0.1", post.box.smtp_port)
    for command in ("", "HELO a", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>", "DATA"):
        if command:
            writer.write(f"{command}\r\n".encode())
        await reader.readline()
    await idle.readline()
    stopping = asyncio.create_task(post.box.stop())
    assert (await idle.readline()).startswith(b"421")
    writer.write(b"Subject: Last\r\n\r\nx\r\n.\r\n")
    assert (await reader.readline()).startswith(b"250")
    await stopping
    writer.close()
    await post.start()
    assert (await post.get("message/latest"))["Subject"] == "Last"


async def test_the_pages_speak_the_browsers_language(post: Post) -> None:
    await post.send(a_mail())
    for wanted, said, when in (
        ("en-GB,en;q=0.9,fr;q=0.1", "Back to the inbox", r"\d{1,2} \w+ \d{4}, \d\d:\d\d:\d\d"),
        ("de", "Retour à la boîte de réception", r"\d{1,2} [\w.]+ \d{4}, \d\d:\d\d:\d\d"),
    ):
        page = await post.web.get("/view/latest", headers={"Accept-Language": wanted})
        assert said in page.text
        assert re.search(when, page.text)
    missing = await post.web.get("/view/nothing", headers={"Accept-Language": "en"})
    assert '<html lang="en">' in missing.text


async def test_a_mail_is_shown_light_and_dark_wide_and_narrow(post: Post) -> None:
    html = (
        "<!doctype html><html lang=fr><title>T</title><style>@media (prefers-color-scheme: dark)"
        " { body { background: #010203; color: #fff } }</style><main><h1>Bonjour</h1></main>"
    )
    await post.send(f"Content-Type: text/html\r\n\r\n{html}".encode())
    async with browsing() as browser:
        # Playwright's own choice of a scheme would overrule the page's.
        page = await browser.new_page(locale="fr-FR", color_scheme="null")
        await page.goto(f"http://localhost:{post.box.http_port}/view/latest")
        body = page.frame_locator("iframe").locator("body")
        await expect(body).to_have_css("background-color", "rgba(0, 0, 0, 0)")
        await page.get_by_role("link", name="Sur fond sombre").click()
        await expect(body).to_have_css("background-color", "rgb(1, 2, 3)")
        await page.get_by_role("link", name="Comme sur un téléphone").click()
        await expect(page).to_have_url(re.compile("scheme=dark&width=narrow"))
        await expect(body).to_have_css("background-color", "rgb(1, 2, 3)")
        box = await page.locator("iframe").bounding_box()
        assert box is not None
        assert box["width"] == 390
        report = await Axe().run(page)
        assert report.violations_count == 0, report.generate_report()


async def test_the_pages_serve_everybody(post: Post) -> None:
    for n in range(52):
        await post.send(a_mail("Un sujet " + "très" * 60 if n == 51 else f"Mail {n}"))
    async with browsing() as browser:
        page = await browser.new_page(locale="fr-FR")
        await page.goto(f"http://localhost:{post.box.http_port}/")
        await page.get_by_role("link", name="Mails plus anciens").click()
        await page.get_by_role("link", name="Mails plus récents").click()
        for path in ("/", "/view/latest", "/view/nothing"):
            for width in (1280, 390, 320):
                await page.set_viewport_size({"width": width, "height": 800})
                await page.goto(f"http://localhost:{post.box.http_port}{path}")
                report = await Axe().run(page)
                assert report.violations_count == 0, report.generate_report()
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} at {width}"
        await page.goto(f"http://localhost:{post.box.http_port}/view/latest")
        await page.route("http://ypok.localhost:8080/**", lambda route: route.fulfill(body="Oui"))
        await page.frame_locator("iframe").get_by_role("link", name="Activer").click()
        await page.wait_for_url("http://ypok.localhost:8080/a")
        await page.go_back()
        await page.get_by_role("link", name="http://ypok.localhost:8080/activate/token").click()
        await page.wait_for_url("http://ypok.localhost:8080/activate/token")
