"""Set-up: what it does again, what it leaves, and what it says where it can't go on."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from deploy.setup import debian, environment
from deploy.setup.problems import Unready


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a lock, where each installation is noted in `installed.txt`."""
    venv, requirements = tmp_path / ".venv", tmp_path / "requirements"
    requirements.mkdir()
    (requirements / "run.txt").write_text("one==1\n")
    monkeypatch.setattr(environment, "VENV", venv)
    monkeypatch.setattr(environment, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(environment, "REQUIREMENTS", requirements)

    def make() -> None:
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()

    def install(name: str, *, with_uv: bool) -> None:
        with (tmp_path / "installed.txt").open("a") as file:
            file.write(f"{name} {'uv' if with_uv else 'pip'}\n")

    monkeypatch.setattr(environment, "_make_venv", make)
    monkeypatch.setattr(environment, "_bring_uv", lambda: True)
    monkeypatch.setattr(environment, "_install", install)
    return tmp_path


def test_a_second_set_up_installs_nothing(project: Path) -> None:
    environment.make_ready(environment.RUN)
    environment.make_ready(environment.RUN)
    assert (project / "installed.txt").read_text() == "run uv\n"


def test_a_changed_lock_is_installed(project: Path) -> None:
    environment.make_ready(environment.RUN)
    (project / "requirements" / "run.txt").write_text("one==2\n")
    environment.make_ready(environment.RUN)
    assert (project / "installed.txt").read_text() == "run uv\n" * 2


def test_an_older_python_is_told_which_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(Unready, match=r"needs Python 3\.11 or newer"):
        environment.make_ready(environment.RUN)


def test_a_python_without_venv_is_told_the_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(debian, "has_apt", lambda: True)
    monkeypatch.setattr(debian, "is_root", lambda: False)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    with pytest.raises(Unready, match=rf"sudo apt-get install {re.escape(package)}"):
        environment._make_venv()


def test_uv_is_told_of_the_index_and_the_authorities_that_pip_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setenv("PIP_CERT", "/etc/authorities.pem")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    told = environment._environment()
    assert told["SSL_CERT_FILE"] == "/etc/authorities.pem"
    assert told["UV_DEFAULT_INDEX"] == "https://packages.example/simple"


LOCKS = sorted(environment.REQUIREMENTS.glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_with_hashes_and_no_index_is_named(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=\S)", re.sub(r"^ +#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [entry for entry in entries if not re.match(r"[\w.-]+(\[\w+\])?==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_what_is_required_is_locked(lock: Path) -> None:
    asked = re.findall(r"^([A-Za-z][\w.-]*)", lock.with_suffix(".in").read_text(), re.MULTILINE)
    locked = set(re.findall(r"^([\w.-]+)(?===|\[)", lock.read_text(), re.MULTILINE))
    assert {name.lower().replace("_", "-") for name in asked} <= locked
