"""What a page really holds, whatever its text looks like."""

from html.parser import HTMLParser

#: Everything a text could try against a page or a terminal.
HOSTILE = (
    "</title></style>\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}]]>&lt;\u202e\x1b[31m\ud800"
)


class Elements(HTMLParser):
    """Notes every tag with its attributes, and the text between."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
