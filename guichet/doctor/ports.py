"""Are the ports that a start would take free, unless this installation has them already?"""

import errno
import socket
from collections.abc import Sequence

from guichet.doctor.finding import Finding, Place

HOST = "127.0.0.1"


async def look(place: Place) -> Sequence[Finding]:
    """A port that another program has keeps `guichet up` from starting."""
    settings = place.settings
    if place.runs or place.apart:
        return []
    wanted = {
        "GUICHET_HTTP_PORT": settings.http_port,
        "GUICHET_SMTP_PORT": settings.smtp_port,
        "GUICHET_MAILBOX_PORT": settings.mailbox_port,
        **({"GUICHET_METRICS_PORT": settings.metrics_port} if settings.metrics_port else {}),
    }
    return [
        Finding(
            "ports",
            f"Port {port} is used by another program.",
            f"Stop that one (`ss -ltnp 'sport = :{port}'` names it), or set {setting} to another.",
        )
        for setting, port in wanted.items()
        if _is_taken(port)
    ]


def _is_taken(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False
