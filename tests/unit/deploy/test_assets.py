"""What npm brings: pinned by hash, named by no registry, brought once, and done without."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.setup import assets, environment
from deploy.setup.problems import Unready


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vendor folder with nothing in it, and a set-up that installs nothing."""
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    monkeypatch.setattr(environment, "make_ready", lambda _sets: None)
    return tmp_path


def test_the_lock_holds_hashes_and_names_no_registry() -> None:
    text = (assets.SOURCES / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    pinned = json.loads((assets.SOURCES / "package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == pinned
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())
    assert "resolved" not in text


def test_what_was_made_is_not_made_again(vendor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it stands there"))
    (vendor / ".made").write_text(assets.fingerprint(assets.SOURCES))
    assets.make_ready()


def test_without_npms_registry_one_is_told_and_goes_on(
    vendor: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assets.provide()
    assert "Pages work" in capsys.readouterr().out
    with pytest.raises(Unready, match="make assets"):
        assets.make_ready()
