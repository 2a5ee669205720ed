"""The gateway's hop, against nginx's: CPU of each for a page that a part answers.

A gateway in a process of its own, with its guards, a session's cookie and the token that it mints;
nginx passes the request on, and no more. Both over kept connections to the same part, which answers
with 10 kB at once. Rates are the client's, which is this process: only the CPU is to be compared.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

from chassis import logs
from chassis.keys import Keys
from chassis.settings import Settings
from deploy.setup import peers
from gateway.app import Gateway
from gateway.by_http import ByHttp
from guichet.serving import listen, run_until_done, server_of
from tests.benchmarks.rounds import Meter, Round, Side, profile, say, skipping, take_turns
from tests.builders.notifier import a_tenant
from tests.support.installation import free_port
from tests.support.process import end_with_tests
from tests.support.waiting import eventually

COUNT = 10_000
CLIENTS = 8
TENANT = UUID(int=1)
SNAPSHOT = {"epoch": 1, "version": 1}  # with which each tenant comes
PAGE = b"<!doctype html>" + b"a" * 10_000
KNOWN = json.dumps(
    {
        "account_id": str(UUID(int=2)),
        "person_id": str(UUID(int=2)),
        "organisation_id": None,
        "session_id": str(UUID(int=3)),
        "roles": ["customer"],
        "display_name": "Anne Dupré",
    }
).encode()
ASK = (
    b"GET /requests HTTP/1.1\r\nHost: ypok.localhost\r\nAccept: text/html\r\n"
    b"Accept-Language: fr\r\nAccept-Encoding: gzip\r\nSec-Fetch-Site: same-origin\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)\r\n"
    b"Cookie: guichet_session=abcdefghijklmnopqrstuvwxyz0123456789\r\n\r\n"
)
NGINX = """\
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors.txt;
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream part {{ server 127.0.0.1:{part}; keepalive 32; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://part; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $host; proxy_set_header X-Request-ID $request_id;
        }}
    }}
}}
"""


class Part(asyncio.Protocol):
    """Answers whatever is asked: a session's look-up, else the page."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # libuv's are none by their class
        self._got = b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, rest = self._got.partition(b"\r\n\r\n")
        if not end or (head.startswith(b"POST") and not rest):
            return
        self._got = b""
        body, kind = (
            (KNOWN, b"application/json") if head.startswith(b"POST") else (PAGE, b"text/html")
        )
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n"
            b"Cache-Control: no-store\r\nVary: Cookie\r\n\r\n%b" % (kind, len(body), body)
        )


def gateway(port: int, part: int) -> None:
    """The gateway's process, with one tenant known."""
    quiet()
    with tempfile.TemporaryDirectory() as folder, listen("127.0.0.1", port, "") as listener:
        run_until_done(serve(listener, part, Path(folder)))


def quiet() -> None:
    """As an installation logs, which logs no request of the gateway's."""
    logs.configure("json", "INFO")


async def serve(listener: socket.socket, part: int, folder: Path) -> None:
    """The gateway, to the parts at that port."""
    address = (f"http://127.0.0.1:{part}",)
    upstream = ByHttp({"identity": address, "catalog": address, "requests": address})
    served = Gateway(Settings(), Keys(folder), upstream)
    tenant = a_tenant(TENANT, host="ypok.localhost").model_dump(mode="json")
    served.tenants.load([SNAPSHOT | tenant])
    try:
        await server_of(served, requests_end_within_s=1).serve(sockets=[listener])
    finally:
        await upstream.close()


@asynccontextmanager
async def process(port: int, *command: str) -> AsyncIterator[int]:
    """A server's process, once it accepts: its id."""
    # Before anything is asked of the loop; it ends with the tests.
    started = subprocess.Popen(command, preexec_fn=end_with_tests)  # noqa: ASYNC220, PLW1509
    try:

        async def accepts() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        assert await eventually(accepts)
        yield started.pid
    finally:
        started.kill()
        started.wait()


def asking(port: int, pid: int) -> Side:
    """A round: so many pages over eight kept connections, and what the server's process used."""

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(COUNT // CLIENTS):
            writer.write(ASK)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            (length,) = (
                line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            assert await reader.readexactly(int(length.split(b":")[1])) == PAGE
        writer.close()

    async def side() -> Round:
        meter = Meter(pids=[pid])
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return meter.read(COUNT)

    return side


async def profiled(part: int) -> None:
    """Where the gateway's time goes; the client, in this process too, counts as `tests`."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, listen("127.0.0.1", port, "") as listener:
        serving = asyncio.create_task(serve(listener, part, Path(folder)))
        await profile("the gateway", asking(port, os.getpid()))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def main() -> None:
    """On processes of its own."""
    quiet()
    part, port, nginx_port = free_port(), free_port(), free_port()
    loop = asyncio.get_running_loop()
    answering = await loop.create_server(Part, "127.0.0.1", part)
    own = (sys.executable, "-m", __spec__.name, str(port), str(part))
    with tempfile.TemporaryDirectory() as folder, skipping("nginx"):
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, part=part, port=nginx_port))
        program = str(peers.required("nginx"))
        async with (
            process(port, *own) as ours,
            process(nginx_port, program, "-c", str(configuration), "-e", "stderr") as theirs,
        ):
            sides = {"the gateway": asking(port, ours), "nginx": asking(nginx_port, theirs)}
            seen = await take_turns(sides, peer="nginx")
            pairs = zip(seen["the gateway"], seen["nginx"], strict=True)
            ratios = sorted(one.cpu_s / other.cpu_s for one, other in pairs)
            middle = ratios[len(ratios) // 2]
            say(f"\nCPU × nginx: {middle:.1f} ({ratios[0]:.1f} - {ratios[-1]:.1f})")
    await profiled(part)
    answering.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        gateway(int(sys.argv[1]), int(sys.argv[2]))
    else:
        run_until_done(main())
