"""A PDF as its readers get it: what it says of itself, its tags, its text."""

import io
from dataclasses import dataclass
from typing import Any

from pypdf import PdfReader


@dataclass(frozen=True)
class Paper:
    """What stands in the file."""

    title: str
    language: str
    shows_title: bool  # in the window's bar, in the place of the file's name
    conforms_to: str  # the part of PDF/UA that it claims
    tags: list[str]  # of its structure, in reading order
    pages: list[str]  # the text of each
    opens: list[str]  # what it would do or reach when opened

    @property
    def text(self) -> str:
        """All that it says."""
        return "\n".join(self.pages)


def read(content: bytes) -> Paper:
    """The file, read. Fails where it is not tagged throughout."""
    reader = PdfReader(io.BytesIO(content))
    root: Any = reader.trailer["/Root"]
    marked = root.get("/MarkInfo", {})
    assert _is_true(marked.get("/Marked")), "not tagged"
    assert not _is_true(marked.get("/Suspects")), "not sure of its own tags"
    metadata = reader.xmp_metadata
    part = "" if metadata is None else _ua_part(metadata)
    return Paper(
        title=str(reader.metadata.title if reader.metadata else ""),
        language=str(root.get("/Lang", "")),
        shows_title=_is_true(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle")),
        conforms_to=part,
        tags=_tags(root["/StructTreeRoot"]["/K"]),
        pages=[page.extract_text() for page in reader.pages],
        opens=[
            name for name in ("/OpenAction", "/AA", "/AcroForm", "/URI", "/Names") if name in root
        ]
        + [str(page["/Annots"]) for page in reader.pages if "/Annots" in page],
    )


def _is_true(found: Any) -> bool:
    return getattr(found, "value", found) is True


def _ua_part(metadata: Any) -> str:
    found = metadata.rdf_root.getElementsByTagNameNS("http://www.aiim.org/pdfua/ns/id/", "part")
    return "".join(node.data for one in found for node in one.childNodes)


def _tags(node: Any) -> list[str]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [tag for one in node for tag in _tags(one)]
    if isinstance(node, dict) and "/S" in node:
        return [str(node["/S"]).lstrip("/"), *(_tags(node["/K"]) if "/K" in node else [])]
    return []
