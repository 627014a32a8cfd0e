"""The inventory that FusionInventory and OCS agents write in XML, in GLPI's own shape.

A DTD, an entity or anything that lies outside the file is refused by the parser. Sections that are
not read are not kept, so that memory follows what is read of a file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from kitsurvie.assets.readers import schema
from kitsurvie.assets.readers.files import Unreadable
from kitsurvie.assets.readers.text import decoded_xml
from kitsurvie.assets.readers.told import Told

DEEPEST = 30
MOST_ELEMENTS = 500_000
_CHUNK = 1 << 16
_OTHER_NAMES = {"firewall": "firewalls", "user": "users"}
_SECTIONS = {
    *schema.READ,
    *_OTHER_NAMES,
    *("accountinfo", "device", "versionclient", "securitycenter"),
}
# what XML forbids and agents write all the same, out of what a firmware says
_FORBIDDEN = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF), " ")
# names of OCS and FusionInventory, as GLPI has them
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "cpus": {"type": "name"},
    "networks": {"macaddr": "mac"},
    "hardware": {"chassistype": "chassis_type"},
    "drives": {"volume": "volumn"},
}
_NETWORK_TYPES = {"local": "loopback", "ether": "ethernet"}


def inflated(data: bytes, limit: int) -> bytes:
    """What a compressed file of OCS holds, `limit` bytes at the most. Raises Unreadable."""
    try:
        unpacker = zlib.decompressobj(wbits=47)  # zlib and gzip, told by their first bytes
        found = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        raise Unreadable("is compressed and damaged") from error
    if len(found) > limit:
        raise Unreadable(
            f"holds more than {limit} bytes once unpacked; if it must, raise the limit"
        )
    if not unpacker.eof:
        raise Unreadable("is compressed and cut short")
    return found


def read(data: bytes) -> Iterator[Told]:
    """The inventories in these bytes: one, or one for each device that was found on the network.

    Raises Unreadable when there is none.
    """
    request = _parsed(decoded_xml(data)).get("request")
    content = request.get("content") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(content, dict):
        raise Unreadable(
            "is no inventory of FusionInventory or OCS: it has no REQUEST with a CONTENT"
        )
    if "device" in content:
        yield from _devices(_list(content["device"]))
        return
    hardware = _first(content.get("hardware"))
    yield Told(
        deviceid=request.get("deviceid"),
        content=_as_glpi(content),
        itemtype=request.get("itemtype") or None,
        tag=_tag(content) or request.get("tag"),
        partial=request.get("partial"),
        user=_text(hardware.get("userid")),
        seen=_text(hardware.get("lastdate")) or _text(hardware.get("lastcome")),
    )


class _Tree:
    """Builds objects out of elements: their names in lower case, a list where one comes twice."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._above: list[tuple[str, dict[str, Any]]] = [("", self.root)]
        self._texts: list[list[str]] = [[]]
        self._left_out = 0
        self._count = 0

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        if self._left_out:
            self._left_out += 1
            return
        depth, name = len(self._above), tag.rpartition("}")[2].lower()
        if depth == 3 and name not in _SECTIONS:
            self._left_out = 1
            return
        self._count += 1
        if depth > DEEPEST or self._count > MOST_ELEMENTS:
            raise Unreadable("is nested too deeply, or holds too much, to be an inventory")
        self._above.append((name, {}))
        self._texts.append([])

    def data(self, text: str) -> None:
        if not self._left_out:
            self._texts[-1].append(text)

    def end(self, _tag: str) -> None:
        if self._left_out:
            self._left_out -= 1
            return
        name, children = self._above.pop()
        text = "".join(self._texts.pop())
        value: Any = children or text.strip()
        parent = self._above[-1][1]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def close(self) -> dict[str, Any]:
        return self.root


def _parsed(text: str) -> dict[str, Any]:
    parser = DefusedXMLParser(target=_Tree(), forbid_dtd=True)
    try:
        for start in range(0, len(text), _CHUNK):
            parser.feed(text[start : start + _CHUNK].translate(_FORBIDDEN))
        found: dict[str, Any] = parser.close()
    except DefusedXmlException as error:
        raise Unreadable("has a DTD or an entity, which no agent writes") from error
    except ParseError as error:
        raise Unreadable("is no XML that can be read", error.position[0]) from error
    except (ValueError, LookupError) as error:
        raise Unreadable("is no XML that can be read") from error
    return found


def _as_glpi(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content under GLPI's names, as its own converter has them."""
    found: dict[str, Any] = {}
    for name, raw in content.items():
        items = [_renamed(name, item) for item in _list(raw)]
        found[_OTHER_NAMES.get(name, name)] = items if len(items) != 1 else items[0]
    found.update(_security(_list(content.get("securitycenter"))))
    hardware, bios = _first(content.get("hardware")), _first(content.get("bios"))
    system = dict(_first(content.get("operatingsystem")))
    system.setdefault("full_name", hardware.get("osname", ""))
    system.setdefault("version", hardware.get("osversion", ""))
    found["operatingsystem"] = system
    if hardware:
        told = dict(_first(found.get("hardware")))
        told.setdefault("chassis_type", bios.get("type", ""))
        found["hardware"] = told
    if "cpus" not in content and hardware.get("processort"):
        found["cpus"] = [{"name": hardware["processort"]}]
    return found


def _renamed(part: str, item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    names = _RENAMED.get(part, {})
    found = dict(item)
    for old, new in names.items():
        if found.get(old) and not found.get(new):
            found[new] = found.pop(old)
    kind = found.get("type")
    if part == "networks" and isinstance(kind, str):
        pattern = schema.shapes()["networks"].values["type"].pattern
        found["type"] = _NETWORK_TYPES.get(kind.lower(), kind.lower())
        if pattern is not None and not pattern.search(found["type"]):
            del found["type"]
            found.setdefault("driver", kind)
    return found


def _security(centre: list[Any]) -> dict[str, Any]:
    """The antivirus and the firewalls that Windows tells OCS of, under GLPI's names."""
    found: dict[str, Any] = {}
    for item in centre:
        if not isinstance(item, dict):
            continue
        kind, name = _text(item.get("category")).casefold(), item.get("product", "")
        if kind.startswith("antivirus"):
            told = {"name": name, "enabled": item.get("enabled"), "uptodate": item.get("uptodate")}
            found.setdefault("antivirus", []).append(told)
        elif kind.startswith("firewall"):
            status = item.get("enabled", "")
            found.setdefault("firewalls", []).append({"profile": name, "status": status})
    return found


def _devices(devices: list[Any]) -> Iterator[Told]:
    """What the agent found on the network: `foo` of its DEVICEID is the agent, not the device."""
    if not devices:
        raise Unreadable("is a look at the network that found nothing")
    for device in devices:
        info = dict(_first(device.get("info"))) if isinstance(device, dict) else {}
        if info.get("type") != "KVM":
            info["type"] = _text(info.get("type")).capitalize()
        key = next((text for n in ("serial", "mac", "name") if (text := _text(info.get(n)))), "")
        yield Told(
            deviceid=f"network:{key}" if key else None,
            content={"network_device": info, "versionclient": "network"},
        )


def _tag(content: Mapping[str, Any]) -> str:
    for item in _list(content.get("accountinfo")):
        if isinstance(item, dict) and _text(item.get("keyname")).upper() == "TAG":
            return _text(item.get("keyvalue"))
    return ""


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [] if raw is None else [raw]


def _first(raw: Any) -> Mapping[str, Any]:
    first = raw[0] if isinstance(raw, list) and raw else raw
    return first if isinstance(first, dict) else {}


def _text(raw: Any) -> str:
    return raw if isinstance(raw, str) else ""
