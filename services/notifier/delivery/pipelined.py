"""The dialogue by hand, where the relay offers PIPELINING (RFC 2920): a mail in two writes.

`MAIL RCPT DATA` go in one and the text with its end in another, each answered in a round trip.
The next mail's commands do not ride with this one's text: nothing is sent on a connection before
its last mail is marked (decision 0033), and the lease is asked for right before the dot's write.

A dot is only ever sent after a text, by who may end it: where the relay takes no recipient and
asks for the text all the same, the connection is dropped. RFC 2920 §3.1 would send a lone dot,
which a relay in disorder could take for an empty mail.
"""

import asyncio
from collections import deque

from services.notifier.delivery.dialogue import (
    GO_ON,
    HANGING_UP,
    NO_UTF8,
    Offered,
    as_sent,
    not_understood,
)
from services.notifier.delivery.mails import Letter
from services.notifier.delivery.replies import Garbled, Replies, Reply
from services.notifier.delivery.steps import MayEnd
from services.notifier.domain.answers import judged, lost

TAKEN = range(200, 300)
ASKED_FOR = (GO_ON,)
REFUSED = range(400, 600)


class Pipelined(asyncio.Protocol):
    """A connection taken over once it was opened: its transport's protocol from then on."""

    RESET_S = 1.0
    AT_ONCE = 64 * 1024
    """So many bytes go in one write with the dot; what is before them of a longer text goes first,
    so that the lease is not asked for long before the relay has it."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        smtputf8: bool,
        timeout_s: float,
        end_timeout_s: float,
    ) -> None:
        self._transport = transport
        self._smtputf8 = smtputf8
        self._timeout_s = timeout_s
        self._end_timeout_s = end_timeout_s
        self._loop = asyncio.get_running_loop()
        self._replies = Replies()
        self._came: deque[Reply] = deque()  # and was not looked at yet
        self._owed = 0  # replies, by the relay; below none: it said something unasked
        self._paused = False  # is more waiting to be sent than should be?
        self._gone = False
        self._news: asyncio.Future[None] | None = None  # what somebody waits for
        self._until = 0.0  # and how long, by the loop
        self._alarm: asyncio.TimerHandle | None = None  # one for many waits: most end long before
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """May a mail be offered on it? A relay that said something unasked says goodbye."""
        return self._is_in_step and not self._gone and not self._transport.is_closing()

    async def offer(self, letter: Letter, may_end: MayEnd) -> Offered:
        """Offer one mail."""
        utf8 = not (letter.sender.isascii() and letter.recipient.isascii())
        if utf8 and not self._smtputf8:
            return Offered(NO_UTF8, keep=True)
        begun = ended = False
        try:
            self._write(_envelope(letter, utf8=utf8), replies=3)
            reply = await self._reply(self._timeout_s)
            begun = reply.code != HANGING_UP
            if (refused := await self._refused(reply)) is not None:
                return await self._judged(refused, letter.recipient, ended=False, begun=begun)
            text = as_sent(letter.message)
            if len(text) > self.AT_ONCE:
                self._write(text[: -self.AT_ONCE], replies=0)
                await self._sent()
                text = text[-self.AT_ONCE :]
            if not await may_end():
                return Offered(None)
            if not self._is_in_step:  # an answer to a text that has not ended
                return await self._judged(await self._reply(0), letter.recipient, ended=False)
            self._write(text + b".\r\n", replies=1)
            ended = True
            reply = await self._reply(self._end_timeout_s)
            return await self._judged(reply, letter.recipient, ended=True)
        except Garbled:
            return Offered(not_understood(ended=ended))
        except OSError as error:  # TimeoutError is one
            return Offered(
                lost(perhaps_taken=ended, words=type(error).__name__),
                begun=begun or isinstance(error, TimeoutError),
            )

    async def quit(self) -> None:
        """Say goodbye."""
        try:
            self._write(b"QUIT\r\n", replies=1)
            await self._reply(self._timeout_s)
        except (Garbled, OSError):
            pass  # it is over in any case

    def drop(self) -> None:
        """Be rid of it, and of what was written and not sent."""
        self._transport.abort()

    # ── What the relay is told and answers ───────────────────────────────────────────────────────

    async def _refused(self, reply: Reply) -> Reply | None:
        """The first of the three replies, of which one is here, that says no.

        None: the text may go.
        """
        refused = None if reply.code in TAKEN else reply
        for wanted in (TAKEN, ASKED_FOR):
            if reply.code == HANGING_UP:
                break
            try:
                reply = await self._reply(self._timeout_s)
            except (Garbled, OSError):
                if refused is None:
                    raise
                self.drop()
                break  # what was refused is
            if refused is None and reply.code not in wanted:
                refused = reply
        if refused is not None and reply.code == GO_ON:
            self.drop()
        return refused

    async def _judged(
        self, reply: Reply, recipient: str, *, ended: bool, begun: bool = True
    ) -> Offered:
        """What this last reply means for the mail and for the connection."""
        code, words = reply
        if code in TAKEN and ended:
            return Offered(judged(code, words, recipient), keep=self.is_open)
        if code not in REFUSED:
            return Offered(not_understood(ended=ended))
        keep = code != HANGING_UP and await self._reset()
        return Offered(judged(code, words, recipient), keep, begun)

    async def _reset(self) -> bool:
        """Ready the connection for the next mail. False where it is of no more use."""
        if not self.is_open:
            return False
        try:
            self._write(b"RSET\r\n", replies=1)
            reply = await self._reply(self.RESET_S)
        except (Garbled, OSError):
            return False
        return reply.code in TAKEN and self.is_open

    @property
    def _is_in_step(self) -> bool:
        """Has the relay answered all that it was asked, and nothing else?"""
        return self._owed == 0 and self._replies.is_between

    def _write(self, data: bytes, *, replies: int) -> None:
        if self._gone or self._transport.is_closing():
            raise ConnectionResetError
        self._owed += replies
        self._transport.write(data)

    async def _reply(self, within_s: float) -> Reply:
        """The next reply. Raises Garbled, TimeoutError and ConnectionResetError."""
        while not self._came:
            if self._replies.garbled:
                raise Garbled
            await self._wait(within_s)
        return self._came.popleft()

    async def _sent(self) -> None:
        """Wait until little is left to be sent."""
        while self._paused and self._is_in_step:
            await self._wait(self._end_timeout_s)

    async def _wait(self, within_s: float) -> None:
        """Wait for whatever comes first."""
        if self._gone:
            raise ConnectionResetError
        self._until = self._loop.time() + within_s
        if self._alarm is None or self._alarm.when() > self._until:
            self._set_alarm()
        self._news = self._loop.create_future()
        try:
            await self._news
        finally:
            self._news = None

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(self._until, self._ring)

    def _ring(self) -> None:
        """The time of some wait is over: perhaps not of this one."""
        self._alarm = None
        if self._news is None or self._news.done():
            return
        if self._loop.time() < self._until:
            self._set_alarm()
        else:
            self._news.set_exception(TimeoutError())

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # ── asyncio's ────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        found = self._replies.feed(data)
        self._came.extend(found)
        self._owed -= len(found)
        if found or self._replies.garbled:
            self._tell()

    def connection_lost(self, _error: Exception | None) -> None:
        """Nothing will come any more."""
        self._gone = True
        if self._alarm is not None:
            self._alarm.cancel()
        self._tell()

    def pause_writing(self) -> None:
        """More is waiting to be sent than should be."""
        self._paused = True

    def resume_writing(self) -> None:
        """Little is."""
        self._paused = False
        self._tell()


def _envelope(letter: Letter, *, utf8: bool) -> bytes:
    """The three commands."""
    mail = f"MAIL FROM:<{letter.sender}>{' SMTPUTF8' if utf8 else ''}\r\n"
    return f"{mail}RCPT TO:<{letter.recipient}>\r\nDATA\r\n".encode()
