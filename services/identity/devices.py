"""The browser that calls, as it says itself what it is."""

from chassis.app import HTTPRequest
from services.identity.domain.devices import Device, device_of


def device(http: HTTPRequest) -> Device:
    """What its person may know it by in the list of their sessions."""
    return device_of(http.headers.get("user-agent", ""))
