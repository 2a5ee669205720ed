"""Measurements, each a module that `make bench B=its_name` runs; not part of `make test`.

Each sets a path of the program against its named peer, in rounds that take turns (`rounds`), on
servers of its own (`ground`). docs/measurements.md keeps what was seen.
"""

import os

# What they make on a server is told apart, and dropped, by this; read when the chassis is imported.
os.environ.setdefault("GUICHET_DATABASE_PREFIX", f"bench_{os.getpid()}")
