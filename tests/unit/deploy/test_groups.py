"""Tests that are marked as a group run on one worker: their servers are started once."""

import subprocess
import sys
from pathlib import Path

A_GROUP = """
import os
import pathlib
import pytest

pytestmark = pytest.mark.xdist_group("together")


@pytest.mark.parametrize("number", range(8))
def test_one(number):
    worker = os.environ["PYTEST_XDIST_WORKER"]
    (pathlib.Path(__file__).parent / f"{number}.ran").write_text(worker)
"""


def test_a_group_of_tests_runs_on_one_worker(tmp_path: Path) -> None:
    """By the very pytest and xdist that run this: a release of one may pass over the other's."""
    (tmp_path / "test_group.py").write_text(A_GROUP)
    options = ["-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider", "-c", "/dev/null"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    ran = [path.read_text() for path in tmp_path.glob("*.ran")]
    assert len(ran) == 8
    assert len(set(ran)) == 1
