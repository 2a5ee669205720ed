"""What is refused before a part sees it."""

import pytest

from gateway.guards import Throttle, body_length, host_name, is_cross_site

OWN = frozenset({"https://ypok.example", "https://support.ypok.example"})


@pytest.mark.parametrize(
    ("site", "origin", "refused"),
    [
        ("same-origin", None, False),
        ("none", None, False),
        ("same-site", None, True),
        ("cross-site", None, True),
        ("", None, True),
        ("Same-Origin", None, True),
        ("same-origin", "https://elsewhere.example", False),  # the browser says it is ours
        ("cross-site", "https://ypok.example", True),
        (None, "https://ypok.example", False),
        (None, "https://support.ypok.example", False),
        (None, "http://ypok.example", True),
        (None, "https://ypok.example:8443", True),
        (None, "https://ypok.example.elsewhere.example", True),
        (None, "https://elsewhere.example", True),
        (None, "null", True),
        (None, "", True),
        (None, None, True),
    ],
)
def test_where_an_unsafe_request_may_come_from(
    site: str | None, origin: str | None, refused: bool
) -> None:
    sent = {"sec-fetch-site": site, "origin": origin, "referer": "https://ypok.example/"}
    headers = {name: value for name, value in sent.items() if value is not None}
    assert is_cross_site(headers, OWN) is refused


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("ypok.localhost", "ypok.localhost"),
        ("ypok.localhost:8080", "ypok.localhost"),
        ("YPOK.Localhost", "ypok.localhost"),
        ("ypok.localhost.", "ypok.localhost"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("", ""),
        (":8080", ""),
        ("[::1", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("0", 0),
        ("17", 17),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("12 ", None),
        ("²", None),  # a digit to Python, and no number
        ("9" * 5000, 10**15),  # more than Python would read
    ],
)
def test_the_length_of_a_body(header: str, length: int | None) -> None:
    assert body_length(header) == length


class Clock:
    """Stands in for the module's `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("gateway.guards.time", clock)
    return clock


def test_an_address_may_send_so_many_a_minute(clock: Clock) -> None:
    throttle = Throttle(60)
    assert [throttle.wait_s("a") for _ in range(60)] == [0.0] * 60
    assert throttle.wait_s("a") == pytest.approx(1.0)
    assert throttle.wait_s("b") == 0.0  # another's is another bucket
    clock.now += 0.5
    assert throttle.wait_s("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert throttle.wait_s("a") == 0.0
    assert throttle.wait_s("a") == pytest.approx(1.0)


def test_a_bucket_holds_no_more_than_a_minutes_worth(clock: Clock) -> None:
    throttle = Throttle(3)
    throttle.wait_s("a")
    clock.now += 86_400
    assert [throttle.wait_s("a") for _ in range(3)] == [0.0] * 3
    assert throttle.wait_s("a") == pytest.approx(20.0)


def test_refused_attempts_cost_nothing(clock: Clock) -> None:
    throttle = Throttle(1)
    assert throttle.wait_s("a") == 0.0
    for _ in range(100):
        assert throttle.wait_s("a") > 0
    clock.now += 60
    assert throttle.wait_s("a") == 0.0


def test_without_a_limit_all_pass() -> None:
    throttle = Throttle(0)
    assert [throttle.wait_s("a") for _ in range(1000)] == [0.0] * 1000


def test_addresses_do_not_fill_the_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.guards.MOST_ADDRESSES", 10)
    throttle = Throttle(2)
    for _ in range(2):
        throttle.wait_s("kept")
    for number in range(9):
        throttle.wait_s(f"address-{number}")
    assert throttle.wait_s("kept") > 0  # seen again: not the one that was longest away
    for number in range(100):
        throttle.wait_s(f"more-{number}")
    assert len(throttle._buckets) == 10
    assert throttle.wait_s("kept") == 0.0
