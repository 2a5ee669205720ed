"""The relay over SMTP: kept connections, and what it answers for a mail.

What goes wrong before a mail is offered is the relay's trouble and raises `RelayAway`; what goes
wrong after is charged to that mail, so that one mail the relay chokes on can't stop the others.
Every wait is bounded; docs/delivery.md tells what each behaviour of a relay leads to. aiosmtplib
opens a connection, with TLS and sign-in; the mails go over it as the relay's offers allow.
"""

import asyncio
import time
from contextlib import suppress
from typing import cast

from aiosmtplib import SMTP

from chassis.settings import RelayAt
from services.notifier.delivery.by_command import ByCommand
from services.notifier.delivery.dialogue import UNSAYABLE, Connection, are_sayable
from services.notifier.delivery.enter import enter
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.pipelined import Pipelined
from services.notifier.delivery.steps import MayEnd, RelayAway
from services.notifier.domain.answers import Answer, lost


class SmtpRelay:
    """Where mail goes, as the settings say."""

    def __init__(self, name: str, at: RelayAt, *, own_name: str) -> None:
        self.name = name
        self.connections = at.connections
        self._at = at
        self._own_name = own_name

    def line(self) -> "SmtpLine":
        """One more connection, not opened yet."""
        return SmtpLine(self._at, own_name=self._own_name)


class SmtpLine:
    """A connection to a relay. Not for concurrent use: one mail at a time."""

    MAILS_A_CONNECTION = 100
    IDLE_S = 20.0
    GOODBYE_S = 1.0

    def __init__(self, at: RelayAt, *, own_name: str) -> None:
        self._at = at
        self._own_name = own_name
        self._connection: Connection | None = None
        self._sent = 0
        self._used_at = 0.0

    async def connect(self) -> None:
        """Be connected, in TLS and signed in where that is asked for. Raises RelayAway."""
        if self._connection is not None and (
            not self._connection.is_open
            or self._sent >= self.MAILS_A_CONNECTION
            or time.monotonic() - self._used_at > self.IDLE_S
        ):
            await self.close()
        if self._connection is not None:
            return
        client = await enter(self._at, own_name=self._own_name)
        self._connection = self._led(client)
        self._sent, self._used_at = 0, time.monotonic()

    def _led(self, client: SMTP) -> Connection:
        """What was opened, in the hands of who leads the dialogues on it."""
        timeout_s, end_timeout_s = self._at.timeout_s, self._at.end_timeout_s
        if client.supports_extension("pipelining"):
            return Pipelined(
                cast(asyncio.Transport, client.transport),  # libuv's are none by their class
                smtputf8=client.supports_extension("smtputf8"),
                timeout_s=timeout_s,
                end_timeout_s=end_timeout_s,
            )
        return ByCommand(client, end_timeout_s=end_timeout_s)

    async def send(self, letter: Letter, may_end: MayEnd) -> Answer | None:
        """Offer one mail, on the connection or a new one, and what became of it.

        None: before its end somebody else had become its sender, and the connection was dropped.
        """
        if not are_sayable(letter):
            return UNSAYABLE
        for _ in range(2):  # a kept connection that the relay had hung up: nothing was offered
            try:
                await self.connect()
            except RelayAway as away:
                return lost(perhaps_taken=False, words=f"away: {away}")
            connection = self._connection
            assert connection is not None
            keep = False
            try:
                answer, keep, begun = await connection.offer(letter, may_end)
            finally:
                self._sent += 1
                self._used_at = time.monotonic()
                if not keep:
                    self._connection = None
                    connection.drop()
            if begun:
                return answer
        return lost(perhaps_taken=False, words="hung up")

    async def rest(self) -> None:
        """Nothing is to be sent for now: a connection that has long been idle is not kept."""
        if self._connection is not None and time.monotonic() - self._used_at > self.IDLE_S:
            await self.close()

    async def close(self) -> None:
        """Say goodbye, briefly."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.GOODBYE_S):
                    await connection.quit()
        connection.drop()
