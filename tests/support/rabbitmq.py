"""RabbitMQ for the tests: a container where an engine answers, else nodes of our own.

A node runs in a folder of its own on free ports, with its own cookie, name and port mapper: it
meets no other of this machine, and it ends with whoever started it. One serves a run; tests that
hurt a broker start their own (`provide_node`), or three in a cluster (`provide_cluster`).
"""

import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.setup import broker
from tests.support.installation import free_port
from tests.support.postgres import engine_answers
from tests.support.process import end_with_tests
from tests.support.waiting import until

ADDRESS = "GUICHET_TEST_RABBITMQ_URL"
HOST = "127.0.0.1"
STARTED_WITHIN_S = 120.0
ENDED_WITHIN_S = 30.0
READY = "Server startup complete"

ELECTION = (
    "[ra:trigger_election(amqqueue:get_pid(Q)) || Q <- rabbit_amqqueue:list(),"
    " amqqueue:get_type(Q) =:= rabbit_quorum_queue]."
)

JOIN = "rabbit:stop(), ok = rabbit_mnesia:join_cluster('{other}', disc), ok = rabbit:start()."

# A small server: its files are made for a test, not for a disk's full speed.
CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{port}
disk_free_limit.absolute = 10MB
vm_memory_high_watermark.absolute = 1GB
log.console = false
log.file = {log}
log.file.level = info
raft.wal_max_size_bytes = 16000000
cluster_partition_handling = pause_minority
"""


@dataclass(frozen=True)
class Server:
    """A running server: a URL, and how it ends."""

    url: str
    stop: Callable[[], None]


class Folder:
    """Where nodes that may know each other are: their cookie and their port mapper."""

    def __init__(self) -> None:
        found = broker.find()
        if found is None:
            raise LookupError(
                "RabbitMQ's programs are needed: sudo apt-get install rabbitmq-server"
            )
        self.programs = found
        self._made = tempfile.TemporaryDirectory(prefix="guichet-rmq-", ignore_cleanup_errors=True)
        self.path = Path(self._made.name)
        self.mapper_port = free_port()
        cookie = self.path / ".erlang.cookie"
        cookie.write_text("guichet")
        cookie.chmod(0o400)
        self._mapper = subprocess.Popen(
            ["epmd", "-address", HOST, "-port", str(self.mapper_port)],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_tests,  # noqa: PLW1509 - one system call, no lock
        )

    def environment(self, **more: str) -> dict[str, str]:
        """What the programs of this folder read."""
        nothing = self.path / "nothing"
        nothing.touch()
        return {
            "PATH": self.programs.path,
            "HOME": str(self.path),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.mapper_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_CONF_ENV_FILE": str(nothing),
            **more,
        }

    def close(self) -> None:
        """End the port mapper and remove what the nodes wrote."""
        self._mapper.kill()
        self._mapper.wait()
        self._made.cleanup()


class Node:
    """A server that can be stopped, killed, started again and told what to do."""

    def __init__(self, folder: Folder, number: int = 1) -> None:
        self._folder = folder
        self.port = free_port()
        self._distribution_port = free_port()
        self.name = f"n{number}@localhost"
        self.place = folder.path / f"n{number}"
        self.place.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"amqp://guest:guest@{HOST}:{self.port}/%2F"

    def configure(self) -> None:
        """Write its configuration."""
        text = CONFIGURATION.format(port=self.port, log=self.place / "log.txt")
        (self.place / "rabbitmq.conf").write_text(text)
        (self.place / "plugins").write_text("[].\n")

    def join(self, other: "Node") -> None:
        """Become a node of the other's cluster, leaving what it was itself."""
        self.ctl("eval", JOIN.format(other=other.name))

    def launch(self) -> None:
        """Start it, and don't wait."""
        (self.place / "log.txt").unlink(missing_ok=True)
        with (self.place / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(
                [self._folder.programs.scripts / "rabbitmq-server"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=end_with_tests,  # noqa: PLW1509 - one system call, no lock
            )

    def await_ready(self) -> None:
        """Wait until it serves. Raises RuntimeError with what it said."""
        process = self._process
        assert process is not None
        until(lambda: self._is_ready() or process.poll() is not None, STARTED_WITHIN_S)
        if not self._is_ready():
            raise RuntimeError(f"RabbitMQ did not start:\n{self.told()[-3000:]}")

    def start(self) -> None:
        """Start it again and wait until it serves.

        The only member of a quorum queue at times stays without a leader after a restart
        (rabbitmq-server issue 10070): it is told to elect itself.
        """
        self.launch()
        self.await_ready()
        self.ctl("eval", ELECTION)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a failing machine would."""
        self._end(signal.SIGKILL)

    def write_out(self) -> None:
        """Have it write to disk what it knows of its queues, as it does by itself in some seconds.

        RabbitMQ 3.10 confirms messages into a queue that was just made, and empties that queue when
        the only node is killed before then: it finds the messages, and not the queue's term.
        """
        self.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")

    def ctl(self, *arguments: str, program: str = "rabbitmqctl") -> str:
        """Have one of its tools do something; answers what it said. Raises CalledProcessError."""
        done = subprocess.run(
            [self._folder.programs.scripts / program, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def told(self) -> str:
        """Its log, and what it wrote beside."""
        files = [self.place / "said.txt", self.place / "log.txt"]
        return "\n".join(one.read_text(errors="replace") for one in files if one.exists())

    def _is_ready(self) -> bool:
        log = self.place / "log.txt"
        return log.exists() and READY in log.read_text(errors="replace")

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _environment(self) -> Mapping[str, str]:
        place = self.place
        return self._folder.environment(
            RABBITMQ_NODENAME=self.name,
            RABBITMQ_DIST_PORT=str(self._distribution_port),
            RABBITMQ_MNESIA_BASE=str(place / "data"),
            RABBITMQ_LOG_BASE=str(place),
            RABBITMQ_CONFIG_FILE=str(place / "rabbitmq"),
            RABBITMQ_ADVANCED_CONFIG_FILE=str(place / "advanced"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(place / "plugins"),
            RABBITMQ_PID_FILE=str(place / "pid"),
            # The script becomes the server, which then has the id that it was started by.
            RUNNING_UNDER_SYSTEMD="true",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=(
                "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            RABBITMQ_CTL_DIST_PORT_MIN=str(free_port()),
            RABBITMQ_CTL_DIST_PORT_MAX="65535",
        )


@dataclass(frozen=True)
class Cluster:
    """Nodes that know each other."""

    nodes: list[Node]
    close: Callable[[], None]

    @property
    def urls(self) -> list[str]:
        """Where they listen."""
        return [node.url for node in self.nodes]


def provide_cluster(count: int = 3) -> Cluster:
    """Nodes of one cluster, started."""
    folder = Folder()
    nodes = [Node(folder, number) for number in range(1, count + 1)]

    def close() -> None:
        for node in nodes:
            node.kill()
        folder.close()

    try:
        for node in nodes:
            node.configure()
            node.launch()
        for node in nodes:
            node.await_ready()
        for node in nodes[1:]:
            node.join(nodes[0])
    except BaseException:
        close()
        raise
    return Cluster(nodes, close)


def provide() -> Server:
    """A server for this run."""
    if engine_answers():
        return _container()
    cluster = provide_cluster(1)
    return Server(cluster.nodes[0].url, cluster.close)


def _container() -> Server:
    from testcontainers.core.container import DockerContainer  # only where an engine answers
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    container = DockerContainer("rabbitmq:4-alpine").with_exposed_ports(5672)
    container = container.with_env("RABBITMQ_DEFAULT_USER", "guichet")
    container = container.with_env("RABBITMQ_DEFAULT_PASS", "guichet")
    container = container.waiting_for(LogMessageWaitStrategy(READY)).start()
    host, port = container.get_container_host_ip(), container.get_exposed_port(5672)
    return Server(f"amqp://guichet:guichet@{host}:{port}/%2F", container.stop)
