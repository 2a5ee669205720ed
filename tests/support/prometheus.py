"""Prometheus for the tests: a server that scrapes what it is told, and promtool's judgement."""

import asyncio
import contextlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.setup import prometheus as setup
from tests.support.installation import free_port


def program(name: str) -> str:
    """Where `prometheus` or `promtool` is: as set-up told, else where it would have found it."""
    named = os.environ.get(setup.PROGRAMS[name]) or setup.find(name)
    if named is None:
        raise RuntimeError(
            f"The tests of the metrics need {name}: `make test` brings it, or install Debian's"
            f" package {setup.PACKAGE}, or set {setup.PROGRAMS[name]}."
        )
    return str(named)


def complaints(metrics: bytes) -> str:
    """What `promtool check metrics` has against them."""
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=metrics, capture_output=True, timeout=60
    )
    said = (done.stdout + done.stderr).decode()
    return said or ("" if done.returncode == 0 else f"exit status {done.returncode}")


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    address: str

    async def health(self) -> dict[str, str]:
        """By job, how its target was found: up, down or unknown."""
        answer = await self._get("/api/v1/targets", {})
        return {one["labels"]["job"]: one["health"] for one in answer["activeTargets"]}

    async def until_up(self, *jobs: str, within_s: float = 60) -> None:
        """Wait until these have been scraped."""
        async with asyncio.timeout(within_s):
            while {(await self.health()).get(job) for job in jobs} != {"up"}:  # noqa: ASYNC110  # it is asked
                await asyncio.sleep(0.1)

    async def value(self, query: str) -> dict[str, float]:
        """What an expression of PromQL comes to: by the samples' labels as JSON, the value."""
        answer = await self._get("/api/v1/query", {"query": query})
        return {
            json.dumps(one["metric"], sort_keys=True): float(one["value"][1])
            for one in answer["result"]
        }

    async def _get(self, path: str, query: Mapping[str, str]) -> Any:
        async with httpx.AsyncClient(base_url=self.address, timeout=10) as client:
            answer = (await client.get(path, params=dict(query))).raise_for_status()
            return answer.json()["data"]


@contextlib.asynccontextmanager
async def a_prometheus(folder: Path, targets: Mapping[str, int]) -> AsyncIterator[Prometheus]:
    """A Prometheus of the test's own that scrapes, by job, these ports of this machine."""
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in targets.items()
    ]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    port = free_port()
    process = _start(folder, json.dumps(config), port)  # JSON is YAML
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        await _until_ready(server, process)
        yield server
    finally:
        _end(process)


def _start(folder: Path, config: str, port: int) -> subprocess.Popen[bytes]:
    folder.mkdir()
    (folder / "prometheus.yml").write_text(config)
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


async def _until_ready(
    server: Prometheus, process: subprocess.Popen[bytes], within_s: float = 60
) -> None:
    async with asyncio.timeout(within_s):
        while True:
            assert process.poll() is None, "Prometheus has ended: its log says why"
            with contextlib.suppress(httpx.HTTPError):
                await server.health()
                return
            await asyncio.sleep(0.1)
