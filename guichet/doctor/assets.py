"""Are the scripts and the font there that `make assets` brings?"""

from collections.abc import Sequence
from importlib import resources

from guichet.doctor.finding import Finding, Place

VENDOR = resources.files("chassis.web") / "static" / "vendor"
BROUGHT = ("htmx.js", "hx-sse.js", "hotkey.js", "atkinson-latin.woff2")


async def look(_place: Place) -> Sequence[Finding]:
    """Pages work without; they look and behave plainer."""
    lacking = [name for name in BROUGHT if not (VENDOR / name).is_file()]
    if not lacking:
        return []
    return [
        Finding(
            "assets",
            f"Files that pages are enhanced by are missing: {', '.join(lacking)}.",
            "Bring them with `make assets`, then start Guichet again.",
        )
    ]
