"""Language and theme: by what they are chosen, and the two forms that choose them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from chassis.keys import Keys
from chassis.settings import Settings
from contracts.identity import TenantChanged
from gateway.app import Gateway
from tests.builders.catalog import a_tenant
from tests.unit.gateway.test_gateway import HOST, SAME_ORIGIN, Parts, browser
from tests.unit.gateway.test_sessions import an_answer

TENANT = a_tenant()


def speaking(*languages: str) -> TenantChanged:
    """The tenant, with these languages."""
    return TENANT.model_copy(update={"languages": languages})


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(Keys(tmp_path / "keys"))


async def gateway_of(parts: Parts, *languages: str, **settings: Any) -> Gateway:
    """A gateway whose one tenant speaks these languages."""
    gateway = Gateway(Settings(guarded_posts_a_minute=0, **settings), parts.keys, parts)
    told = speaking(*languages).model_dump(mode="json")
    gateway.tenants.load([{**told, "version": 1, "epoch": 1}])
    return gateway


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(await gateway_of(parts, "fr", "en", "xx")) as one:
        yield one


async def spoken(client: httpx.AsyncClient, parts: Parts, accept: str | None = None) -> str:
    """The language that a part is told to speak."""
    headers = {} if accept is None else {"Accept-Language": accept}
    await client.get("/requests", headers=headers)
    return parts.call().language


# ── The order ────────────────────────────────────────────────────────────────────────────────────


async def test_who_asks_for_nothing_is_answered_in_the_tenants_first(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    for accept in (None, "", "de", "xx, yy;q=0.3"):  # xx is the tenant's, and nobody speaks it
        assert await spoken(client, parts, accept) == ""


async def test_the_browsers_wish_is_heard(client: httpx.AsyncClient, parts: Parts) -> None:
    assert await spoken(client, parts, "en-US,en;q=0.9") == "en"
    assert await spoken(client, parts, "de, fr;q=0.5, en;q=0.2") == "fr"


async def test_a_persons_own_language_goes_before_the_browsers(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer(language="fr")
    client.cookies.set("guichet", "cookie")
    assert await spoken(client, parts, "en") == "fr"


async def test_a_persons_language_that_the_tenant_does_not_speak_is_passed_over(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer(language="de")
    client.cookies.set("guichet", "cookie")
    assert await spoken(client, parts, "en") == "en"


async def test_what_was_chosen_in_this_browser_goes_before_all(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer(language="fr")
    client.cookies.set("guichet", "cookie")
    client.cookies.set("guichet-language", "en")
    assert await spoken(client, parts, "fr") == "en"
    client.cookies.set("guichet-language", "de")
    assert await spoken(client, parts, "en") == "fr"


async def test_a_tenant_of_one_language_speaks_it_to_all(parts: Parts) -> None:
    async with browser(await gateway_of(parts, "en")) as client:
        client.cookies.set("guichet-language", "fr")
        assert await spoken(client, parts, "fr") == ""
        assert "Page not found" in (await client.get("/nothing")).text


# ── Choosing ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_language_is_chosen_and_kept(client: httpx.AsyncClient, parts: Parts) -> None:
    answer = await client.post(
        "/language", data={"language": "en", "back": "/requests?older_than=1"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/requests?older_than=1")
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("guichet-language=en; HttpOnly; Max-Age=31536000; Path=/;")
    assert await spoken(client, parts, "fr") == "en"
    assert parts.asked == []  # it asked nobody


async def test_a_theme_is_chosen_and_kept(client: httpx.AsyncClient, parts: Parts) -> None:
    await client.get("/requests")
    assert parts.call().theme == ""
    for theme, told in (("dark", "dark"), ("light", "light"), ("auto", "")):
        answer = await client.post("/theme-choice", data={"theme": theme, "back": "/"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        await client.get("/requests")
        assert parts.call().theme == told
    client.cookies.set("guichet-theme", "<script>")
    await client.get("/requests")
    assert parts.call().theme == ""


async def test_over_https_a_choice_is_the_hosts_alone(parts: Parts) -> None:
    gateway = await gateway_of(parts, "fr", "en", public_scheme="https", public_port=443)
    async with browser(gateway, "https") as client:
        answer = await client.post("/language", data={"language": "en"})
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-guichet-language=en;")
        assert cookie.endswith("; Secure")
        assert await spoken(client, parts) == "en"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/language", "language=de&back=/"),
        ("/language", "language=xx&back=/"),
        ("/language", "language=en_XA&back=/"),
        ("/language", "language=&back=/"),
        ("/language", "back=/"),
        ("/language", ""),
        ("/language", "theme=dark"),
        ("/language", "&".join(f"{at}=1" for at in range(30)) + "&language=en"),
        ("/language", "%ff%fe=\x00"),
        ("/theme-choice", "theme=blue"),
        ("/theme-choice", "language=en"),
    ],
)
async def test_what_is_not_offered_is_not_kept(
    client: httpx.AsyncClient, path: str, body: str
) -> None:
    answer = await client.post(
        path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "a", ""],
)
async def test_one_is_led_back_on_this_site_only(client: httpx.AsyncClient, elsewhere: str) -> None:
    answer = await client.post("/language", data={"language": "en", "back": elsewhere})
    assert answer.headers["location"] == "/"
    assert client.cookies["guichet-language"] == "en"


async def test_a_way_back_makes_no_header(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/language",
        content="language=en&back=" + quote("/a\r\nSet-Cookie: b=c"),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.headers["location"] == "/"
    assert len(answer.headers.get_list("set-cookie")) == 1


@pytest.mark.parametrize("path", ["/language", "/theme-choice"])
async def test_a_choice_is_a_form_of_this_site(client: httpx.AsyncClient, path: str) -> None:
    data = {"language": "en", "theme": "dark"}
    answer = await client.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    for method in ("GET", "HEAD"):
        answer = await client.request(method, path)
        assert (answer.status_code, "set-cookie" in answer.headers) == (405, False)
    answer = await client.post(path, data={**data, "back": "/" + "a" * 10_000})
    assert (answer.status_code, "set-cookie" in answer.headers) == (413, False)


# ── Choosing beside what is typed ────────────────────────────────────────────────────────────────


async def test_a_form_that_is_shown_again_is_shown_as_was_chosen(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    answer = await client.post("/profile/details?_language=en", data={"phone": "1"})
    assert (answer.status_code, parts.call().language) == (200, "en")
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("guichet-language=en; HttpOnly; Max-Age=31536000; Path=/;")
    for theme, told in (("dark", "dark"), ("auto", "")):
        answer = await client.post(f"/profile/details?_theme={theme}", data={"phone": "1"})
        assert parts.call().theme == told
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"guichet-theme={theme};")
    assert await spoken(client, parts, "fr") == "en"


@pytest.mark.parametrize("query", ["_language=de", "_theme=blue", "_language=en&_theme=blue"])
async def test_a_form_with_a_choice_that_is_not_offered_goes_nowhere(
    client: httpx.AsyncClient, parts: Parts, query: str
) -> None:
    answer = await client.post(f"/profile/details?{query}", data={"phone": "1"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (400, False)
    assert parts.scopes == []


async def test_only_a_form_of_this_site_chooses(client: httpx.AsyncClient, parts: Parts) -> None:
    path = "/profile/details?_language=en"
    for method in ("GET", "HEAD"):
        answer = await client.request(method, path)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert parts.call().language == ""
    answer = await client.post(path, data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


# ── The gateway's own pages, and the pseudo-locale ───────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "language", "words"),
    [
        ({}, "fr", "Page introuvable"),
        ({"Accept-Language": "en-GB"}, "en", "Page not found"),
        ({"Cookie": "guichet-language=en"}, "en", "Page not found"),
        ({"Cookie": "guichet-language=fr", "Accept-Language": "en"}, "fr", "Page introuvable"),
    ],
)
async def test_the_gateways_pages_speak_as_the_parts_do(
    client: httpx.AsyncClient, headers: dict[str, str], language: str, words: str
) -> None:
    answer = await client.get("/nothing", headers=headers)
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept-Language, Cookie"
    assert f'<html lang="{language}"' in answer.text
    assert words in answer.text


async def test_where_there_is_no_portal_the_browsers_wish_is_heard(
    client: httpx.AsyncClient,
) -> None:
    for accept, words in (("en", "No portal at this address"), ("de", "Aucun portail")):
        answer = await client.get(
            "/", headers={"Host": "nobody.localhost", "Accept-Language": accept}
        )
        assert answer.status_code == 404
        assert words in answer.text


async def test_a_part_that_is_away_is_said_so_in_the_persons_language(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    parts.session = an_answer(language="en")
    client.cookies.set("guichet", "cookie")
    parts.away.add("requests")
    answer = await client.get("/requests", headers={"Accept-Language": "fr"})
    assert "The service is away for a moment" in answer.text


async def test_the_pseudo_locale_is_offered_where_it_is_set(parts: Parts) -> None:
    gateway = await gateway_of(parts, "fr", pseudo_locale=True)
    async with browser(gateway) as client:
        assert await spoken(client, parts, "en-XA, en_XA") == ""  # chosen, never asked for
        answer = await client.post("/language", data={"language": "en_XA", "back": "/"})
        assert answer.status_code == 303
        assert await spoken(client, parts) == "en_XA"
        page = await client.get("/nothing")
        assert 'lang="en-XA"' in page.text
        assert "⟦" in page.text


async def test_an_unreadable_request_of_choice_is_refused(parts: Parts) -> None:
    gateway = await gateway_of(parts, "fr", "en")
    transport = httpx.ASGITransport(gateway)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        answer = await client.post("/language", data={"language": "en"})  # of no known site
        assert answer.status_code == 403
        answer = await client.post(
            "/language",
            data={"language": "en"},
            headers={**SAME_ORIGIN, "Host": "nobody.localhost"},
        )
        assert answer.status_code == 404
