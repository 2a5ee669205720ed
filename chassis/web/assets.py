"""Static files under names that hold a hash of their content, served as never changing.

Templates write `asset("guichet.css")`; the gateway mounts `serve_static` at `/static/{name}` and
answers `/theme/{name}` with `theme_response`. Style sheets and scripts name others as
`asset:<name>`, which becomes the path with the hash.

What `make assets` brings stands in `vendor/` and may be absent: its path is then empty, lines of
ours that name it are left out, and pages go without.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from chassis.web import palette

FOREVER = "public, max-age=31536000, immutable"
VENDOR = "vendor/"

MEDIA_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
"""What is served, by the name's end: licences and the fonts of the papers are not."""

NAMED = re.compile(rb"asset:([a-z0-9_./-]+)")


@dataclass(frozen=True)
class Asset:
    """A static file, in memory: they are few and small."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """As the name's end tells."""
        return MEDIA_TYPES[self.name.rpartition(".")[2]]

    @property
    def path(self) -> str:
        """Where browsers find it."""
        stem, _, extension = self.name.rpartition(".")
        return f"/static/{stem}.{sha256(self.content).hexdigest()[:12]}.{extension}"


@cache
def assets() -> dict[str, Asset]:
    """Every static file, by the name it has in the source; vendor files begin with `vendor/`."""
    return {name: Asset(name, _linked(name)) for name in _files()}


@cache
def asset(name: str) -> str:
    """The path of a static file; empty for a vendor file that was not brought.

    Raises KeyError: a template that names none must not be shown.
    """
    if name.startswith(VENDOR) and name not in _files():
        return ""
    return Asset(name, _linked(name)).path


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
    """The route for `/static/{name:path}`."""
    return static_response(http.path_params["name"], http.headers.get("accept-encoding", ""))


def theme_response(slug: str, brand: str, name: str, accept_encoding: str = "") -> Response:
    """The style sheet of the tenant with this slug and brand colour, asked for as `name`."""
    current = palette.theme_path(slug, brand) == f"/theme/{name}"
    return _answer(palette.theme_css(brand).encode(), "text/css", accept_encoding, current=current)


@cache
def _files() -> dict[str, bytes]:
    return dict(_served(resources.files("chassis.web") / "static", ""))


def _served(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _served(one, f"{prefix}{one.name}/")
        elif one.name.rpartition(".")[2] in MEDIA_TYPES:
            yield prefix + one.name, one.read_bytes()


@cache
def _linked(name: str) -> bytes:
    """The file, with the paths of those that it names."""
    content = _files()[name]
    if name.startswith(VENDOR) or not name.endswith((".css", ".js")):
        return content
    return b"".join(
        NAMED.sub(lambda found: asset(found[1].decode()).encode(), line)
        for line in content.splitlines(keepends=True)
        if all(asset(named.decode()) for named in NAMED.findall(line))
    )


def _answer(content: bytes, media_type: str, accept_encoding: str, *, current: bool) -> Response:
    headers = {
        "Cache-Control": FOREVER if current else "no-store",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if "gzip" in accept_encoding and not media_type.startswith("font/"):
        content = _zipped(content)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)


@cache
def _zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
