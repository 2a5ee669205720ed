"""Looking into a file before it is taken: its content must be what its name says, and only that.

Pictures are drawn anew, so that nothing is left in them but pixels: no place, no camera, no second
file behind the first. In one thread of its own, since a large picture takes the memory of many
pages; what waits is bounded.
"""

import asyncio
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from chassis.files import full_disk_told, safe_name
from services.requests.domain.attachments import (
    IMAGES,
    LARGEST_FILE,
    LONGEST_SIDE,
    MEDIA_TYPES,
    MOST_PIXELS,
    TAKEN,
    TEXTS,
    Empty,
    NotTaken,
    NotWhatItSays,
    TooBusy,
    TooDense,
    TooLarge,
    TooManyPixels,
)

MOST_WAITING = 20

_pool = ThreadPoolExecutor(1, thread_name_prefix="inspecting")
_waiting = 0


@dataclass(frozen=True)
class Inspected:
    """A file that may be taken, as it is to be kept."""

    name: str
    media_type: str
    path: Path
    size_bytes: int


async def inspected(path: Path, given_name: str) -> Inspected:
    """The file, with a harmless name and content. Raises a Refused, and NoRoom."""
    global _waiting
    if _waiting >= MOST_WAITING:
        raise TooBusy(name=safe_name(given_name))
    _waiting += 1
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_pool, inspected_now, path, given_name)
    finally:
        _waiting -= 1


def inspected_now(path: Path, given_name: str) -> Inspected:
    """The same, in this thread."""
    name = safe_name(given_name)
    extension = name.rpartition(".")[2].lower()
    if not path.exists() or path.stat().st_size == 0:
        raise Empty(name=name)
    if extension not in MEDIA_TYPES or "." not in name:
        raise NotTaken(name=name, taken=TAKEN)
    if extension in IMAGES:
        _draw_anew(path, name, IMAGES[extension])
    elif extension in TEXTS:
        _check_text(path, name)
    elif extension == "pdf":
        _check_pdf(path, name)
    else:
        _check_package(path, name, extension)
    size_bytes = path.stat().st_size
    if size_bytes > LARGEST_FILE:
        raise TooLarge(name=name)
    return Inspected(name, MEDIA_TYPES[extension], path, size_bytes)


_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


def _draw_anew(path: Path, name: str, media_type: str) -> None:
    """Its pixels alone, the right way up, in the same format and place."""
    drawn = path.with_suffix(".drawn")
    try:
        with path.open("rb") as file:
            try:
                picture = Image.open(file, formats=[_FORMATS[media_type]])
                width, height = picture.size  # of its header: nothing is decoded yet
                if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
                    raise TooManyPixels(name=name)
                picture.load()
            except Image.DecompressionBombError as error:
                raise TooManyPixels(name=name) from error
            except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
                raise NotWhatItSays(name=name) from error
            upright = ImageOps.exif_transpose(picture)
        pixels = _plain(upright, media_type)
        with full_disk_told(), drawn.open("wb") as file:
            options = {"quality": 90} if media_type != "image/png" else {}
            pixels.save(file, format=_FORMATS[media_type], **options)
        drawn.replace(path)
    finally:
        drawn.unlink(missing_ok=True)


def _plain(picture: Image.Image, media_type: str) -> Image.Image:
    """In a mode that its format holds, and without anything beside the pixels."""
    transparent = picture.has_transparency_data and media_type != "image/jpeg"
    wanted = "RGBA" if transparent else ("L" if picture.mode in ("1", "L") else "RGB")
    pixels = picture if picture.mode == wanted else picture.convert(wanted)
    pixels.info = {}
    return pixels


def _check_text(path: Path, name: str) -> None:
    """Characters, and no control characters but those that texts and logs hold."""
    raw = path.read_bytes()
    allowed = b"\t\n\r\f\x1b"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            raw = raw.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise NotWhatItSays(name=name) from error
    if raw.startswith((b"%PDF", b"MZ", b"PK\x03\x04")) or any(
        byte in raw for byte in range(32) if byte not in allowed
    ):
        raise NotWhatItSays(name=name)


def _check_pdf(path: Path, name: str) -> None:
    """From its first byte to its last, with nothing before or behind."""
    raw = path.read_bytes()
    end = raw.rfind(b"%%EOF")
    behind = raw[end + len(b"%%EOF") :].strip(b"\r\n\t \0")
    if not raw.startswith(b"%PDF-") or end < 0 or behind:
        raise NotWhatItSays(name=name)


LARGEST_UNPACKED = 200 * 1024 * 1024
MOST_ENTRIES = 3_000
LARGEST_DIRECTORY = 1024 * 1024
_END = struct.Struct("<4s4H2LH")
_MIMETYPES = {
    "odt": b"application/vnd.oasis.opendocument.text",
    "ods": b"application/vnd.oasis.opendocument.spreadsheet",
}
_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


def _check_package(path: Path, name: str, extension: str) -> None:
    """An office document by its directory alone: nothing is unpacked but a word of some bytes."""
    with path.open("rb") as file:
        _check_ends(file.read(4), path, name)
        try:
            with zipfile.ZipFile(file) as package:
                entries = package.infolist()
                if min((one.header_offset for one in entries), default=1) != 0:
                    raise NotWhatItSays(name=name)
                _check_entries(entries, name)
                if extension in _MIMETYPES:
                    wanted = _MIMETYPES[extension]
                    with package.open("mimetype") as first:
                        if first.read(len(wanted) + 1) != wanted:
                            raise NotWhatItSays(name=name)
                elif not {"[Content_Types].xml", _PARTS[extension]} <= set(package.namelist()):
                    raise NotWhatItSays(name=name)
        except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError) as error:
            raise NotWhatItSays(name=name) from error
        except RuntimeError as error:  # it wants a password
            raise TooDense(name=name) from error


def _check_ends(first: bytes, path: Path, name: str) -> None:
    """It begins and ends as one package, whose directory is no larger than documents have."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if first != b"PK\x03\x04" or size < _END.size:
            raise NotWhatItSays(name=name)
        file.seek(size - _END.size)
        mark, _, _, _, entries, directory, _, comment = _END.unpack(file.read(_END.size))
    if mark != b"PK\x05\x06" or comment:
        raise NotWhatItSays(name=name)
    if entries > MOST_ENTRIES or directory > LARGEST_DIRECTORY:
        raise TooDense(name=name)


def _check_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    if sum(one.file_size for one in entries) > LARGEST_UNPACKED:
        raise TooDense(name=name)
    for one in entries:
        lowered = one.filename.lower()
        outside = lowered.startswith("/") or ".." in lowered.split("/")
        runs = lowered.endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs", ".class"))
        encrypted = one.flag_bits & 0x1
        if outside or runs or encrypted or ("basic/" in lowered and lowered.endswith(".xml")):
            raise TooDense(name=name)
