"""The relay: one kept SMTP connection, and what it answers for a mail.

What goes wrong before a mail is offered is the relay's trouble and raises `RelayAway`; what goes
wrong after is charged to that mail, so that one mail the relay chokes on can't stop the others.
"""

import asyncio
import math
import time
from contextlib import suppress

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.notifier.domain.answers import Answer, judged, lost, unsendable

HANGING_UP = 421  # RFC 5321 §4.2.3: the relay is about to close; the connection is not used again


class RelayAway(Exception):
    """Nobody answers there, or not as a relay that takes mail does."""


class Relay:
    """Where all mail goes. Not for concurrent use: one mail at a time."""

    MAILS_A_CONNECTION = 100
    IDLE_S = 20.0
    GOODBYE_S = 1.0

    def __init__(self, host: str, port: int, *, timeout_s: float, own_name: str) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._own_name = own_name
        self._client: SMTP | None = None
        self._sent = 0
        self._used_at = 0.0

    @property
    def longest_send_s(self) -> float:
        """The longest that `send` takes, whatever happens: each reply has half of it."""
        return 2 * self._timeout_s + self.GOODBYE_S

    async def connect(self, *, within_s: float = math.inf) -> None:
        """Be connected. Raises RelayAway."""
        if self._client is not None and (
            not self._client.is_connected
            or self._sent >= self.MAILS_A_CONNECTION
            or time.monotonic() - self._used_at > self.IDLE_S
        ):
            await self.close()
        if self._client is not None:
            return
        client = SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout_s,
            local_hostname=self._own_name,
        )
        try:
            async with asyncio.timeout(min(self._timeout_s, within_s)):
                await client.connect()
        except (SMTPException, OSError, ValueError) as error:  # TimeoutError is an OSError
            client.close()
            raise RelayAway(type(error).__name__) from error
        except BaseException:
            client.close()
            raise
        self._client, self._sent, self._used_at = client, 0, time.monotonic()

    async def send(self, sender: str, recipient: str, message: bytes) -> Answer:
        """Offer one mail, on the connection or a new one, and what became of it."""
        deadline = time.monotonic() + 2 * self._timeout_s
        for _ in range(2):  # a kept connection that the relay had hung up: nothing was offered
            try:
                await self.connect(within_s=deadline - time.monotonic())
            except RelayAway as away:
                return lost(perhaps_taken=False, words=f"away: {away}")
            answer = await self._offer(sender, recipient, message, deadline - time.monotonic())
            if answer is not None:
                return answer
        return lost(perhaps_taken=False, words="hung up")

    async def rest(self) -> None:
        """Nothing is to be sent for now: an idle connection is not kept."""
        if self._client is not None and time.monotonic() - self._used_at > self.IDLE_S:
            await self.close()

    async def close(self) -> None:
        """Say goodbye, briefly."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(SMTPException, OSError):
            if client.is_connected:
                async with asyncio.timeout(self.GOODBYE_S):
                    await client.quit()
        client.close()

    async def _offer(
        self, sender: str, recipient: str, message: bytes, within_s: float
    ) -> Answer | None:
        """One dialogue. None where the connection was gone before it began."""
        client = self._client
        assert client is not None
        options, encoding = [], "ascii"
        if not (sender + recipient).isascii():
            if not client.supports_extension("smtputf8"):
                return unsendable("the relay takes no address beyond ASCII (RFC 6531)")
            options, encoding = ["SMTPUTF8"], "utf-8"
        offered = perhaps_taken = keep = False
        try:
            async with asyncio.timeout(within_s):
                await client.mail(sender, options=options, encoding=encoding)
                offered = True
                await client.rcpt(recipient, encoding=encoding)
                perhaps_taken = True
                reply = await client.data(message)
            keep = True
            return judged(reply.code, reply.message)
        except SMTPResponseException as error:
            if not 400 <= error.code < 600:  # no reply that SMTP knows at this point
                return lost(perhaps_taken=perhaps_taken, words="not understood")
            keep = error.code != HANGING_UP and await self._reset(client)
            return judged(error.code, error.message)
        except ValueError:
            return unsendable("not to be said in SMTP")
        except (SMTPException, OSError) as error:
            if not offered and not isinstance(error, TimeoutError):
                return None
            return lost(perhaps_taken=perhaps_taken, words=type(error).__name__)
        finally:
            self._sent += 1
            self._used_at = time.monotonic()
            if not keep:
                self._client = None
                client.close()

    async def _reset(self, client: SMTP) -> bool:
        """Ready the connection for the next mail. False where it is of no more use."""
        try:
            async with asyncio.timeout(self.GOODBYE_S):
                await client.rset()
        except (SMTPException, OSError):
            return False
        return True
