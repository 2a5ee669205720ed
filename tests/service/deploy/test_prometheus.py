"""The configuration of the Prometheus that docker-compose.yml starts."""

import subprocess
from pathlib import Path

import yaml

from guichet.parts import PARTS
from tests.support.prometheus import program

CONFIGURATION = Path(__file__).parents[3] / "deploy" / "prometheus.yml"


def test_prometheus_reads_it() -> None:
    done = subprocess.run(
        [program("promtool"), "check", "config", CONFIGURATION], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_looks_at_every_part() -> None:
    [job] = yaml.safe_load(CONFIGURATION.read_text("utf-8"))["scrape_configs"]
    [found] = job["dns_sd_configs"]
    assert set(found["names"]) == set(PARTS)
