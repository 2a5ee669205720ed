"""Mailpit's API (https://mailpit.axllent.org), for listing, reading, searching and removing mails.

A GET changes nothing here, so no mail is ever read in Mailpit's sense: all stay `unread`.
Routes without `async` run on a thread of their own, since they read the disk.
"""

import asyncio
import json
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from guichet.mailbox.reading import Json, message, raw_headers, summary
from guichet.mailbox.store import Caught, NoSuchMail, Store

READ = ["GET", "HEAD"]
PAGE_SIZE = 50
TERM = re.compile(r'(?:(to|from|subject):)?(?:"([^"]+)"|(\S+))')

router = APIRouter(prefix="/api/v1")


async def the_store(http: Request) -> Store:
    """What the application was built over."""
    store = http.app.state.store
    assert isinstance(store, Store)
    return store


def the_mail(id: str, store: Annotated[Store, Depends(the_store)]) -> Caught:
    """The mail that the path names. Raises NoSuchMail."""
    return store.read(next(iter(store.ids()), id) if id == "latest" else id)


Kept = Annotated[Store, Depends(the_store)]
Named = Annotated[Caught, Depends(the_mail)]


@router.api_route("/messages", methods=READ)
def messages(http: Request, store: Kept) -> Response:
    start, limit, ids = number(http, "start", 0), number(http, "limit", PAGE_SIZE), store.ids()
    return _listing(store, start, len(ids), summaries(store, ids[start : start + limit]))


@router.api_route("/search", methods=READ)
def search(http: Request, store: Kept) -> Response:
    terms = TERM.findall(http.query_params.get("query", ""))
    if not terms:
        return PlainTextResponse("Error: no search query", 400)
    start, limit = number(http, "start", 0), number(http, "limit", PAGE_SIZE)
    found = [one for one in summaries(store, store.ids()) if _matches(one, terms)]
    return _listing(store, start, len(found), found[start : start + limit])


@router.delete("/messages")
async def remove_messages(http: Request, store: Kept) -> Response:
    """Those of the body's `IDs`, or all where it names none."""
    try:
        wanted = json.loads(await http.body() or b"{}").get("IDs") or store.ids()
        ids = [str(id) for id in wanted]
    except (ValueError, TypeError, AttributeError):
        return PlainTextResponse("The body is no object with a list of IDs.", 400)
    await asyncio.to_thread(store.remove, ids)
    return PlainTextResponse("ok")


@router.api_route("/message/{id}", methods=READ)
def one_message(mail: Named) -> Response:
    return JSONResponse(message(mail))


@router.api_route("/message/{id}/headers", methods=READ)
def message_headers(mail: Named) -> Response:
    return JSONResponse(raw_headers(mail))


@router.api_route("/message/{id}/raw", methods=READ)
def message_source(mail: Named) -> Response:
    return PlainTextResponse(mail.raw)


def summaries(store: Store, ids: list[str]) -> list[Json]:
    """Of these mails, but for those that were removed since."""
    found = []
    for id in ids:
        try:
            found.append(store.summary(id, summary))
        except NoSuchMail:
            continue
    return found


def number(http: Request, name: str, otherwise: int) -> int:
    """The parameter as a natural number; anything else is as if it was not there, as in Mailpit."""
    value = http.query_params.get(name, "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else otherwise


def _listing(store: Store, start: int, matching: int, page: list[Json]) -> Response:
    total = len(store.ids())
    counts = {"total": total, "unread": total, "count": len(page), "start": start}
    matches = {"messages_count": matching, "messages_unread": matching}
    return JSONResponse({**counts, **matches, "tags": [], "messages": page})


def _matches(mail: Json, terms: list[tuple[str, str, str]]) -> bool:
    sender = [mail["From"]] if mail["From"] else []
    fields = {
        name: " ".join(f"{one['Name']} {one['Address']}" for one in people)
        for name, people in (("to", mail["To"]), ("from", sender))
    } | {"subject": mail["Subject"]}
    everything = " ".join((*fields.values(), mail["Snippet"]))
    return all(
        (quoted or bare).casefold() in fields.get(field, everything).casefold()
        for field, quoted, bare in terms
    )
