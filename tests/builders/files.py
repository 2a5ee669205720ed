"""Files as people attach them, and as those do who mean harm."""

import io
import struct
import zipfile
import zlib

from PIL import Image

HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def a_picture(format: str = "PNG", size: tuple[int, int] = (32, 24), **options: object) -> bytes:
    """A picture, with what its options put beside the pixels."""
    whole = io.BytesIO()
    Image.new("RGB", size, "#1f5fa8").save(whole, format=format, **options)
    return whole.getvalue()


def a_photo_with_its_place() -> bytes:
    """A JPEG that tells where and by which camera it was taken, and stands on its side."""
    exif = Image.Exif()
    exif[0x010F] = "Appareil de Claire"
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[2] = (45.0, 35.0, 24.0)
    return a_picture("JPEG", exif=exif, comment=b"Mairie de Givors")


def a_picture_of(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels, and which holds none of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


def a_package(entries: dict[str, bytes], *, deflated: bool = True) -> bytes:
    """A zip archive."""
    whole = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(whole, "w", kind) as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return whole.getvalue()


def a_document(**more: bytes) -> bytes:
    """A text document of an office program, and what is put into it."""
    return a_package(
        {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>", **more}
    )


def an_open_document() -> bytes:
    """The same, of another office program."""
    return a_package(
        {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<office/>"},
        deflated=False,
    )


def a_bomb() -> bytes:
    """A document of some hundred kilobytes that unpacks to 210 MB; made without holding them."""
    whole = io.BytesIO(a_document())
    with (
        zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
        package.open("word/media/image1.bin", "w") as image,
    ):
        for _ in range(210):
            image.write(bytes(1024 * 1024))
    return whole.getvalue()
