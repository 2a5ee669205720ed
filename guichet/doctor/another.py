"""Does the process that has the data answer where these settings say?"""

import asyncio
from collections.abc import Sequence

from guichet.doctor.finding import Finding, Place
from guichet.postgres.folder import LOCK

HOST = "127.0.0.1"
WITHIN_S = 5.0


async def look(place: Place) -> Sequence[Finding]:
    """If not, another installation was started on the same folder, or this one hangs."""
    if not place.runs or place.apart or await _answers(place.settings.http_port):
        return []
    holder = (place.data_dir / LOCK).read_text(errors="replace").strip() or "unknown"
    return [
        Finding(
            "another installation",
            f"Process {holder} has the data in {place.data_dir}, and no portal answers on port"
            f" {place.settings.http_port}.",
            "Stop that process first, or set GUICHET_DATA_DIR to another folder and the ports to"
            " others.",
        )
    ]


async def _answers(port: int) -> bool:
    """Is a gateway alive there?"""
    try:
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
            answer = await reader.read()  # to the end: head and body may come one after the other
            writer.close()
    except OSError:  # TimeoutError is one
        return False
    return b'"live"' in answer
