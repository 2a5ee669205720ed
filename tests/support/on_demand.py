"""A server that serves the whole run, started when one of its workers first asks for it."""

import json
import socket
import threading
from collections.abc import Callable
from typing import Protocol

STARTED_WITHIN_S = 180


class Stoppable(Protocol):
    """A running server."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def stop(self) -> Callable[[], None]:
        """Ends it."""


class OnDemand:
    """In the process that starts the workers: starts the server, and ends it with the run."""

    def __init__(self, provide: Callable[[], Stoppable]) -> None:
        self._provide = provide
        self._server: Stoppable | None = None
        self._asked = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._asked.getsockname()[1]
        # It lives as long as the process: what a thread starts may end with the thread.
        threading.Thread(target=self._answer, daemon=True).start()

    def close(self) -> None:
        """Stop what was started."""
        if self._server is not None:
            self._server.stop()

    def _answer(self) -> None:
        while True:
            asker, _ = self._asked.accept()
            with asker:
                try:
                    self._server = self._server or self._provide()
                    answer = {"url": self._server.url}
                except Exception as error:
                    answer = {"error": str(error)}
                asker.sendall(json.dumps(answer).encode())


def ask(port: int) -> str:
    """The server's URL, once it serves. Raises RuntimeError with what kept it from that."""
    with socket.create_connection(("127.0.0.1", port), timeout=STARTED_WITHIN_S) as asked:
        answer: dict[str, str] = json.loads(asked.makefile("rb").read())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["url"]
