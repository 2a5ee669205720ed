"""Bringing RabbitMQ: as root with no service started, else unpacked, and started from there."""

import subprocess
from pathlib import Path

import pytest

from deploy.setup import broker, debian
from deploy.setup.problems import Unready


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian without RabbitMQ, whose root and project are this folder."""
    (tmp_path / "usr/sbin").mkdir(parents=True)
    unpacked = tmp_path / "project/.cache/rabbitmq"
    monkeypatch.setattr(broker, "PROJECT", tmp_path / "project")
    monkeypatch.setattr(broker, "UNPACKED", unpacked)
    monkeypatch.setattr(broker, "ROOTS", (tmp_path, unpacked))
    monkeypatch.setattr(broker, "POLICY", tmp_path / "usr/sbin/policy-rc.d")
    monkeypatch.setattr(debian, "has_apt", lambda: True)
    return tmp_path


def put_programs(root: Path) -> None:
    """What the packages hold."""
    for name in ("usr/lib/rabbitmq/bin/rabbitmq-server", "usr/lib/erlang/erts-13.1/bin/erlexec"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_root_installs_without_starting_a_service(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policies: list[int] = []

    def install(*_packages: str) -> None:
        policies.append(subprocess.run([broker.POLICY]).returncode)
        put_programs(bare)

    monkeypatch.setattr(debian, "is_root", lambda: True)
    monkeypatch.setattr(debian, "install", install)
    broker.provide()
    broker.provide()
    assert policies == [101]  # invoke-rc.d(8): not allowed
    assert not broker.POLICY.exists()


def test_a_machines_own_policy_stays(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.POLICY.write_text("#!/bin/sh\nexit 104\n")
    monkeypatch.setattr(debian, "is_root", lambda: True)
    monkeypatch.setattr(debian, "install", lambda *_: put_programs(bare))
    broker.provide()
    assert broker.POLICY.read_text() == "#!/bin/sh\nexit 104\n"


def test_anyone_else_starts_erlang_from_where_it_was_unpacked(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpack(into: Path, *_packages: str) -> None:
        put_programs(into)
        executed = into / "usr/lib/erlang/erts-13.1/bin/erlexec"
        executed.write_text('#!/bin/sh\necho "$ROOTDIR $BINDIR $1"\n')
        executed.chmod(0o755)

    monkeypatch.setattr(debian, "is_root", lambda: False)
    monkeypatch.setattr(debian, "unpack", unpack)
    broker.provide()
    programs = broker.find()
    assert programs is not None
    assert programs.scripts == broker.UNPACKED / "usr/lib/rabbitmq/bin"
    said = subprocess.run(
        ["erl", "argument"], env={"PATH": programs.path}, capture_output=True, text=True
    )
    erlang = broker.UNPACKED / "usr/lib/erlang"
    assert said.stdout == f"{erlang} {erlang}/erts-13.1/bin argument\n"


def test_where_nothing_can_be_brought_the_command_is_told(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*command: str) -> None:
        raise subprocess.CalledProcessError(100, command)

    monkeypatch.setattr(debian, "is_root", lambda: True)
    monkeypatch.setattr(debian, "install", fail)
    with pytest.raises(Unready, match="sudo apt-get install rabbitmq-server"):
        broker.provide()
    assert not broker.POLICY.exists()
