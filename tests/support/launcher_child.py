"""A process that starts the embedded server and can be killed: `… DATA_DIR [UID]`.

It writes one line of JSON, either the server's address or why it was refused, then stops the server
once its standard input ends. With a UID it becomes that user first, as root may.
"""

import json
import os
import sys
from pathlib import Path

from guichet.postgres import CannotStart, start, stop


def main(data_dir: str, uid: str | None = None) -> None:
    """Start, tell, wait, stop."""
    if uid is not None:
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    try:
        server = start(Path(data_dir), say=lambda _line: None)
    except CannotStart as refusal:
        sys.stdout.write(json.dumps({"refused": str(refusal)}) + "\n")
        return
    sys.stdout.write(json.dumps({"url": server.admin_url(), "pid": server.pid}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    stop(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
