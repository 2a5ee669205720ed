"""A page as somebody without scripts gets it: what it says, and what its form would send."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = {"input", "meta", "link", "br"}


class Page(HTMLParser):
    """The answer's HTML, read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.title = ""
        self.heading = ""
        self.action = ""
        self.fields: dict[str, str] = {}
        self.links: dict[str, str] = {}  # by what they say
        self.text = ""
        self._open: list[str] = []
        self._area = self._select = self._href = self._said = ""
        self.feed(html)
        self.text = " ".join(self.text.split())
        self.heading = " ".join(self.heading.split())
        self.title = " ".join(self.title.split())

    def path(self, link: str) -> str:
        """Where the link of that name leads."""
        found = urlsplit(self.links[link])
        return f"{found.path}?{found.query}" if found.query else found.path

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The parser's own."""
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        if tag == "form" and "main" in self._open:
            self.action = urlsplit(given["action"]).path
        elif tag == "input" and "main" in self._open:
            chosen = given.get("type") not in {"checkbox", "radio"} or "checked" in given
            if chosen and given.get("type") != "file":
                before = self.fields.get(given["name"])
                value = given.get("value", "")
                self.fields[given["name"]] = value if before is None else f"{before}\n{value}"
        elif tag == "textarea":
            self._area = given["name"]
            self.fields[self._area] = ""
        elif tag == "a":
            self._href, self._said = given.get("href", ""), ""

    def handle_endtag(self, tag: str) -> None:
        """The parser's own."""
        while self._open and self._open.pop() != tag:
            pass
        if tag == "textarea":
            self._area = ""
        elif tag == "a" and self._href:
            self.links[" ".join(self._said.split())] = self._href
            self._href = ""

    def handle_data(self, data: str) -> None:
        """The parser's own."""
        if "title" in self._open:
            self.title += data
        elif self._area:
            self.fields[self._area] += data
        else:
            self.text += f" {data}"
            self._said += data
            if "h1" in self._open:
                self.heading += data
