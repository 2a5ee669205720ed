"""Static files under names that hold a hash of their content, served as never changing.

Templates write `asset("guichet.css")`; the gateway mounts `serve_static` at `/static/{name}` and
answers `/theme/{name}` with `theme_response`.
"""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from chassis.web import palette

FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A static file, in memory: they are few and small."""

    name: str
    content: bytes
    media_type: str

    @property
    def path(self) -> str:
        """Where browsers find it."""
        stem, _, extension = self.name.rpartition(".")
        return f"/static/{stem}.{sha256(self.content).hexdigest()[:12]}.{extension}"


@cache
def assets() -> dict[str, Asset]:
    """Every static file, by the name it has in the source."""
    folder = resources.files("chassis.web") / "static"
    return {
        one.name: Asset(
            one.name,
            one.read_bytes(),
            mimetypes.guess_type(one.name)[0] or "application/octet-stream",
        )
        for one in folder.iterdir()
        if one.is_file() and not one.name.startswith(".")
    }


@cache
def asset(name: str) -> str:
    """The path of a static file. Raises KeyError: a template that names none must not be shown."""
    return assets()[name].path


def static_response(name: str, accept_encoding: str = "") -> Response:
    """A static file, by the name with the hash.

    Another version's hash, as pages ask for while one is rolled out, gets this version's file,
    not to be kept.
    """
    match = re.fullmatch(r"(.+)\.[0-9a-f]{12}(\.[^.]+)", name)
    found = assets().get(match[1] + match[2]) if match else None
    if found is None:
        return Response(status_code=404)
    current = found.path == f"/static/{name}"
    return _answer(found.content, found.media_type, accept_encoding, current=current)


async def serve_static(http: Request) -> Response:
    """The route for `/static/{name}`."""
    return static_response(http.path_params["name"], http.headers.get("accept-encoding", ""))


def theme_response(slug: str, brand: str, name: str, accept_encoding: str = "") -> Response:
    """The style sheet of the tenant with this slug and brand colour, asked for as `name`."""
    current = palette.theme_path(slug, brand) == f"/theme/{name}"
    return _answer(palette.theme_css(brand).encode(), "text/css", accept_encoding, current=current)


def _answer(content: bytes, media_type: str, accept_encoding: str, *, current: bool) -> Response:
    headers = {
        "Cache-Control": FOREVER if current else "no-store",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if "gzip" in accept_encoding and media_type.startswith("text/"):
        content = _zipped(content)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)


@cache
def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
