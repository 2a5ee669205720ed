"""The Procfile, and the processes that it comes to."""

import argparse
import sys

import pytest

from chassis.settings import Settings
from deploy import apart
from guichet.parts import GATEWAY, PARTS
from guichet.serve import port_of


def test_the_procfile_starts_every_part_on_this_python() -> None:
    assert apart.procfile() == {
        part: (sys.executable, "-m", "guichet", "serve", part) for part in PARTS
    }


def test_without_more_each_part_listens_where_the_settings_expect_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GUICHET_HTTP_PORT", raising=False)
    monkeypatch.delenv("GUICHET_LISTEN_PORT", raising=False)
    started = apart.processes({}, apart.usual_port)
    assert {one.part: one.port for one in started} == {
        part: port_of(part, Settings()) for part in PARTS
    }
    [gateway] = [one for one in started if one.part == GATEWAY]
    for part in apart.ASKED:
        told = gateway.settings[apart.address_setting(part)]
        assert told == getattr(Settings(), f"{part.replace('-', '_')}_at")[0]


def test_gateways_are_told_of_every_process() -> None:
    started = apart.processes({"identity": 3, "gateway": 2, "notifier": 0}, apart.usual_port)
    assert len({one.port for one in started}) == len(started)
    assert [one.name for one in started if one.part in {"identity", "notifier"}] == [
        "identity.1",
        "identity.2",
        "identity.3",
    ]
    ports = [one.port for one in started if one.part == "identity"]
    for one in started:
        if one.part == GATEWAY:
            told = one.settings["GUICHET_IDENTITY_AT"]
            assert told == ",".join(f"http://127.0.0.1:{port}" for port in ports)


@pytest.mark.parametrize("counts", ["identity", "identity=", "identity=two", "nothing=1"])
def test_counts_that_say_nothing_are_refused(counts: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        apart._counts(counts)


def test_what_the_environment_lacks_is_named() -> None:
    assert len(list(apart._lacking({}))) == 2
    given = {"GUICHET_RABBITMQ_URLS": "amqp://x/", "GUICHET_POSTGRES_URL": "postgresql://x"}
    assert list(apart._lacking(given)) == []


def test_each_process_tells_its_metrics_on_a_port_of_its_own() -> None:
    started = apart.processes({"identity": 2}, apart.usual_port)
    assert apart.measured(started, {}) == started
    ports = [
        one.settings["GUICHET_METRICS_PORT"]
        for one in apart.measured(started, {"GUICHET_METRICS_PORT": "9100"})
    ]
    assert ports == [str(9100 + place) for place in range(len(started))]
