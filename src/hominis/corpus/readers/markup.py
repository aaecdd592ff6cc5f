"""Readable text of files, marked up or not."""

from __future__ import annotations

import re

_SECTIONS = ("address", "article", "body", "figure", "form", "main", "section")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "figcaption", "title")
_TABLES = ("table", "tbody", "td", "tfoot", "th", "thead", "tr")
_LISTS = ("dd", "dl", "dt", "li", "ol", "ul")
_OTHERS = ("blockquote", "br", "div", "fieldset", "hr", "p", "pre")
_BLOCKS = frozenset((*_SECTIONS, *_HEADINGS, *_TABLES, *_LISTS, *_OTHERS))
_UNSEEN = ("head", "script", "style", "template", "noscript", "nav", "footer", "aside")
_PAGE_HEADER = "//header[not(ancestor::article or ancestor::main)]"


def text_of(path: str, content: bytes) -> str:
    """Return a file's text; of an HTML page, by its ending, what ``html_text`` gives.

    Raises:
        UnicodeDecodeError: it isn't UTF-8.
    """
    return html_text(content) if path.lower().endswith((".html", ".htm", ".xhtml")) else content.decode()


def html_text(content: bytes) -> str:
    """Return the text of a page without its navigation, a block a line; empty if there is none.

    Raises:
        UnicodeDecodeError: the page isn't UTF-8 (the only encoding that is read).
    """
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    content.decode("utf-8")
    root = etree.fromstring(content, parser) if content.strip() else None
    if root is None:
        return ""
    for element in root.xpath(_PAGE_HEADER):
        element.tag = _UNSEEN[0]
    etree.strip_elements(root, *_UNSEEN, with_tail=False)
    pieces: list[str | None] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        pieces += ("\n" if element.tag in _BLOCKS else "", element.text if event == "start" else element.tail)
    spaced = re.sub(r"[^\S\n]+", " ", "".join(piece for piece in pieces if piece))
    return re.sub(r" ?\n[ \n]*", "\n", spaced).strip()
