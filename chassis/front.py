"""The outermost layer of a part that is served by a process of its own.

It tells the gateway, and balancers, two things that HTTP itself has no word for. A process that was
told to stop still serves, but `/readyz` answers 503, every answer carries `Connection: close` and a
header of ours: whoever keeps connections to it lets go of them, and asks another first. Thus
nothing is under way when it stops accepting. And an app that failed before it answered is told
from one that answers 500: in one process, too, the gateway sees that as an exception.
"""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

LEAVING = "x-guichet-leaving"
FAILED = "x-guichet-failed"


class Front:
    """An app, and whether its process is about to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.leaving = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if self.leaving and message["type"] == "http.response.start":
                headers = MutableHeaders(raw=[*message.get("headers", ())])
                headers[LEAVING] = "1"
                headers["connection"] = "close"
                message = {**message, "headers": headers.raw}
            await send(message)

        if self.leaving and scope["type"] == "http" and scope["path"] == "/readyz":
            answer = JSONResponse({"ready": False, "leaving": True}, 503, {"Retry-After": "2"})
            await answer(scope, receive, sending)
            return
        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            # Its words may hold what somebody typed: they are not logged.
            log.error("part_failed", error=type(error).__name__, begun=begun)
            if begun:
                return  # the server breaks off the connection of an answer that is not whole
            failed = JSONResponse({"failed": True}, 503, {FAILED: "1", "Connection": "close"})
            await failed(scope, receive, sending)
