"""Browsers as their people know them."""

import pytest

from services.identity.domain.devices import UNKNOWN, Device, device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
            Device("Firefox", "Windows"),
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36",
            Device("Chrome", "Windows"),
        ),
        (
            (
                f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36"
                " Edg/126.0.0.0"
            ),
            Device("Edge", "Windows"),
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
            ),
            Device("Safari", "iPhone"),
        ),
        (
            (
                f"Mozilla/5.0 (Linux; Android 14; SM-S911B) {WEBKIT} SamsungBrowser/25.0"
                " Chrome/121.0.0.0 Mobile Safari/537.36"
            ),
            Device("Samsung Internet", "Android"),
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/17.5 Safari/605.1.15"
            ),
            Device("Safari", "macOS"),
        ),
        ("", UNKNOWN),
        ("<script>alert(1)</script>" * 1000, UNKNOWN),
    ],
)
def test_a_browser_is_called_as_its_makers_call_it(user_agent: str, device: Device) -> None:
    assert device_of(user_agent) == device
