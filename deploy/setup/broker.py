"""What the tests of the distributed way need: the programs of a RabbitMQ server.

They are the machine's, else Debian's packages: installed as root, with no service started, and
unpacked in `.cache/rabbitmq` for anyone else. Erlang's `erl` names its folder absolutely, so what
is unpacked gets a starter of its own. The tests start servers by themselves, on ports and in
folders of their own.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.setup import debian
from deploy.setup.environment import PROJECT, say
from deploy.setup.problems import Unready

PACKAGE = "rabbitmq-server"
UNPACKED = PROJECT / ".cache" / "rabbitmq"
ROOTS = (Path("/"), UNPACKED)
POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by Debian's packages whether their services may be started (invoke-rc.d(8))."""


@dataclass(frozen=True)
class Programs:
    """The folders that hold `rabbitmq-server` and its tools, and what they need on the path."""

    scripts: Path
    path: str


def find() -> Programs | None:
    """The programs of this machine, or those that were unpacked."""
    for root in ROOTS:
        scripts = root / "usr/lib/rabbitmq/bin"
        starters = [root / "starters"] if root == UNPACKED else []
        if (scripts / "rabbitmq-server").exists() and all(one.exists() for one in starters):
            before = [str(one) for one in (*starters, root / "usr/bin")]
            return Programs(scripts, os.pathsep.join([*before, os.environ.get("PATH", "/bin")]))
    return None


def provide() -> None:
    """Bring them to this machine, if need be. Raises Unready."""
    if find() is None:
        try:
            _bring()
        except (OSError, subprocess.CalledProcessError) as error:
            raise _unready() from error
    if find() is None:
        raise _unready()


def _bring() -> None:
    if not debian.has_apt():
        return
    if debian.is_root():
        say(f"Installing {PACKAGE}, for the tests of the distributed way.")
        with _services_kept_stopped():
            debian.install(PACKAGE)
        return
    say(f"Unpacking {PACKAGE} in {UNPACKED.relative_to(PROJECT)}, for the tests.")
    debian.unpack(UNPACKED, PACKAGE)
    _write_starters()


@contextmanager
def _services_kept_stopped() -> Iterator[None]:
    """Let no service start by being installed, unless the machine has a policy of its own."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def _write_starters() -> None:
    """`erl` and `epmd` on what was unpacked."""
    erlang = UNPACKED / "usr/lib/erlang"
    (binaries,) = erlang.glob("erts-*/bin")
    libraries = os.pathsep.join(str(one) for one in debian.library_folders(UNPACKED))
    starters = UNPACKED / "starters"
    starters.mkdir(exist_ok=True)
    for name, program in (("erl", "erlexec"), ("epmd", "epmd")):
        starter = starters / name
        starter.write_text(
            "#!/bin/sh\n"
            f'export ROOTDIR="{erlang}" BINDIR="{binaries}" EMU=beam PROGNAME=erl\n'
            f'export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
            f'exec "{binaries / program}" "$@"\n'
        )
        starter.chmod(0o755)


def _unready() -> Unready:
    return Unready(
        "The tests of the distributed way need the programs of RabbitMQ, which could not be"
        " brought: see the lines above, or install them with this command, then run this again:"
        f"\n    sudo apt-get install {PACKAGE}"
    )
