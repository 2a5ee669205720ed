"""How the gateway reaches a part: one interface, in-process here, by HTTP where parts are apart."""

import asyncio
import contextvars
import json
from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

Headers = list[tuple[bytes, bytes]]

ASK_TIMEOUT_S = 5.0


class PartAway(Exception):
    """The part could not be reached, or failed before it answered."""


class AnswerCut(Exception):
    """The part failed after it had begun to answer: what was sent is not the whole."""


REPEATABLE = "guichet.repeatable"
"""An extension of a scope: whatever its method, the request changes nothing."""


class Upstream(Protocol):
    """Hands an HTTP exchange to a part. Raises PartAway if no answer was begun, AnswerCut if one
    was that did not come to its end."""

    async def forward(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI: streams the body in and the answer out."""


class InProcess:
    """Parts in this very process, called as ASGI apps, each in a context of its own."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = apps

    async def forward(self, part: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app in a task with a fresh context; cancelled with its caller."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        app = self._apps[part]
        task = asyncio.get_running_loop().create_task(
            _call(app, {**scope, "state": {}}, receive, sending), context=contextvars.Context()
        )
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise
        except Exception as error:
            log.exception("part_failed", part=part)
            raise (AnswerCut if begun else PartAway)(part) from error


async def _call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def ask(
    upstream: Upstream,
    part: str,
    method: str,
    path: str,
    headers: Headers,
    body: Any = None,
    *,
    changes: bool = False,
    within_s: float = ASK_TIMEOUT_S,
) -> tuple[int, Any]:
    """Ask a part a question in JSON. Answers status and body.

    What `changes` something there is asked once, the rest again where a connection fails. Raises
    PartAway.
    """
    raw = b"" if body is None else json.dumps(body).encode()
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"internal"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(raw)).encode()),
            *headers,
        ],
        "extensions": {} if changes else {REPEATABLE: {}},
        "client": None,
        "server": None,
    }
    asked = False
    status, answer = 0, b""

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # nothing more comes; cancelled with the call
        asked = True
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, answer
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            answer += message.get("body", b"")

    try:
        async with asyncio.timeout(within_s):
            await upstream.forward(part, scope, receive, send)
    except (TimeoutError, AnswerCut) as error:
        raise PartAway(part) from error
    if status >= 500 or not status:
        raise PartAway(part)
    return status, json.loads(answer) if answer else None
