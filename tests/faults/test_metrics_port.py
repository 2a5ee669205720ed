"""`guichet up` with a port for its metrics: a Prometheus finds it up, and a taken port is told."""

import asyncio
import socket
from pathlib import Path

from tests.support.installation import free_port
from tests.support.process import a_guichet
from tests.support.prometheus import a_prometheus


async def test_prometheus_scrapes_an_installation_that_runs(tmp_path: Path) -> None:
    port = free_port()
    with a_guichet(metrics_port=port) as guichet:
        guichet.run()
        async with a_prometheus(tmp_path / "prometheus", {"guichet": port}) as prometheus:
            await prometheus.until_up("guichet")
            question = 'guichet_http_requests_total{part="gateway",route="/readyz"}'
            async with asyncio.timeout(30):
                while not await prometheus.value(question):  # noqa: ASYNC110  # it is asked
                    await asyncio.sleep(0.1)
        guichet.stop()
        with socket.create_server(("127.0.0.1", port)):
            guichet.start()
            assert guichet.ended() == 1
        assert "GUICHET_METRICS_PORT" in guichet.said()
