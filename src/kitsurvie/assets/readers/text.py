"""Bytes of whatever encoding as text, and text without what no field should hold."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
ERRORS = "kitsurvie-cp1252"
_CP1252 = tuple(
    bytes((b,)).decode("cp1252", "ignore") or bytes((b,)).decode("latin-1") for b in range(256)
)
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")
_HALF_LETTER = re.compile("[\ud800-\udfff]")
_ANY_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DECLARED = re.compile(r"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# encodings of one byte a letter that a declaration is believed for
_SINGLE = {"iso8859-1": "cp1252", "cp1252": "cp1252", "iso8859-15": "iso8859-15"}


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(_CP1252[b] for b in error.object[error.start : error.end]), error.end


# bytes that are no UTF-8 are what Windows in France wrote, one by one: a file may hold both
codecs.register_error(ERRORS, _as_cp1252)


def encoding(head: bytes) -> tuple[str, str, int]:
    """The encoding of a text that begins so, its error handler, and the length of its mark."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, ERRORS if name == "utf-8" else "replace", len(mark)
    half = len(head) // 2
    if half:
        first, second = head[::2].count(0), head[1::2].count(0)
        if second > 0.4 * half and first < 0.1 * half:
            return "utf-16-le", "replace", 0
        if first > 0.4 * half and second < 0.1 * half:
            return "utf-16-be", "replace", 0
    return "utf-8", ERRORS, 0


def decoded(data: bytes) -> str:
    """A whole file as text."""
    name, errors, skip = encoding(data[:4096])
    return data[skip:].decode(name, errors)


def decoded_xml(data: bytes) -> str:
    """The same, believing what an XML declaration says of one-byte encodings."""
    name, errors, skip = encoding(data[:4096])
    if not skip and name == "utf-8":
        declared = _DECLARED.match(data[:300].decode("latin-1").lstrip())
        try:
            told = codecs.lookup(declared[1]).name if declared else ""
        except LookupError:
            told = ""
        if told in _SINGLE:
            return data.decode(_SINGLE[told], "replace")
    return data[skip:].decode(name, errors)


def clean(text: str) -> str:
    """The text without control characters, half letters and spaces around it."""
    if not text.isascii() and _HALF_LETTER.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not text.isprintable() and _ANY_CONTROL.search(text):
        text = text.translate(_CONTROLS)
    return text.strip()


def shown(name: str) -> str:
    """The name of a file as it can be printed and stored: no line break, no half letter."""
    safe = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in safe
    )
