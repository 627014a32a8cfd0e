"""What a file is, from how it begins."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from kitsurvie.assets.readers import headings, table
from kitsurvie.assets.readers.files import Unreadable
from kitsurvie.assets.readers.text import encoding
from kitsurvie.assets.record import Source

HEAD = 1 << 16
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"7z\xbc\xaf",
    b"Rar!",
    b"BZh",
    b"\xfd7zXZ",
    b"(\xb5/\xfd",
)


def compressed(head: bytes) -> bool:
    """Whether a file is packed as OCS packs an inventory (zlib), or with gzip."""
    if head[:2] == b"\x1f\x8b":
        return True
    return len(head) > 2 and head[0] == 0x78 and (head[0] << 8 | head[1]) % 31 == 0


def text_of(head: bytes) -> str:
    """The beginning of a file as text."""
    name, errors, skip = encoding(head[:4096])
    return head[skip:].decode(name, errors)


def source(head: bytes, mapped: Mapping[str, str]) -> Source:
    """The kind of export that begins so. Raises Unreadable where that cannot be told."""
    if any(head.startswith(mark) for mark in _ARCHIVES):
        raise Unreadable("is an archive; unpack it and name the folder")
    if not head.strip():
        raise Unreadable("is empty")
    if compressed(head):
        try:
            head = zlib.decompressobj(wbits=47).decompress(head, HEAD)
        except zlib.error:
            head = b""
    text = text_of(head).lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return Source.AGENT_XML
    if text.startswith(("{", "[")):
        return Source.GLPI_JSON
    line = table.first_line(text)
    found = headings.guess(table.split(line, delimiter(line, None, mapped)), mapped)
    if found is None:
        raise Unreadable(
            "is no export that is known by its headings; name it with --source, and its headings "
            "with --map"
        )
    return found


def delimiter(line: str, wanted: Source | None, mapped: Mapping[str, str]) -> str:
    """What separates the cells of a line of headings: that under which most of them are known."""
    tables = [wanted] if wanted is not None else list(headings.TABLES)

    def known(mark: str) -> tuple[int, int]:
        cells = table.split(line, mark)
        most = max(len(headings.columns(cells, one, mapped).known) for one in tables)
        return most, len(cells)

    return max(table.DELIMITERS, key=known)
