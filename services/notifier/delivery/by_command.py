"""The dialogue by aiosmtplib, a round trip a command: for relays that offer no PIPELINING."""

import asyncio
from contextlib import suppress

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.notifier.delivery.dialogue import (
    GO_ON,
    HANGING_UP,
    NO_UTF8,
    UNSAYABLE,
    Offered,
    as_sent,
    not_understood,
)
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.steps import MayEnd
from services.notifier.domain.answers import judged, lost


class ByCommand:
    """A connection that aiosmtplib holds."""

    RESET_S = 1.0

    def __init__(self, client: SMTP, *, end_timeout_s: float) -> None:
        self._client = client
        self._end_timeout_s = end_timeout_s

    @property
    def is_open(self) -> bool:
        """May a mail be offered on it?"""
        return self._client.is_connected

    async def offer(self, letter: Letter, may_end: MayEnd) -> Offered:
        """Offer one mail."""
        client, recipient = self._client, letter.recipient
        begun = ended = False
        try:
            options, encoding = [], "ascii"
            if not (letter.sender + recipient).isascii():
                if client.last_ehlo_response is None:
                    await client.ehlo()
                if not client.supports_extension("smtputf8"):
                    return Offered(NO_UTF8, keep=True)
                options, encoding = ["SMTPUTF8"], "utf-8"
            await client.mail(letter.sender, options=options, encoding=encoding)
            begun = True
            await client.rcpt(recipient, encoding=encoding)
            opened = await client.execute_command(b"DATA")
            if opened.code != GO_ON:
                raise SMTPResponseException(opened.code, opened.message)
            protocol = client.protocol
            assert protocol is not None
            protocol.write(as_sent(letter.message))
            if not await may_end():
                return Offered(None)
            ended = True
            protocol.write(b".\r\n")
            reply = await protocol.read_response(timeout=self._end_timeout_s)
            if not 200 <= reply.code < 300:
                raise SMTPResponseException(reply.code, reply.message)
            return Offered(judged(reply.code, reply.message, recipient), keep=True)
        except SMTPResponseException as error:
            if not 400 <= error.code < 600:
                return Offered(not_understood(ended=ended))
            answer = judged(error.code, error.message, recipient)
            if error.code == HANGING_UP:
                return Offered(answer, begun=begun)
            return Offered(answer, keep=await self._reset())
        except ValueError:
            return Offered(UNSAYABLE)
        except (SMTPException, OSError) as error:
            return Offered(
                lost(perhaps_taken=ended, words=type(error).__name__),
                begun=begun or isinstance(error, TimeoutError),
            )

    async def quit(self) -> None:
        """Say goodbye."""
        with suppress(SMTPException, OSError):
            await self._client.quit()

    def drop(self) -> None:
        """Be rid of it."""
        self._client.close()

    async def _reset(self) -> bool:
        """Ready the connection for the next mail. False where it is of no more use."""
        try:
            async with asyncio.timeout(self.RESET_S):
                await self._client.rset()
        except (SMTPException, OSError):
            return False
        return True
