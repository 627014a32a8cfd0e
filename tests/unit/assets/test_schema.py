"""Our reading of GLPI's schema, beside a validator of JSON Schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie.assets.readers import schema

from .conftest import INVENTORIES

PEER = jsonschema.Draft7Validator(schema.document())
REAL = [json.loads(path.read_text())["content"] for path in sorted(INVENTORIES.glob("glpi_*.json"))]
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(-1e15, 1e15),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["name", "x"]), st.integers(), max_size=2),
    st.sampled_from(["2026-10-29 08:00:00", "ethernet", "1", "true", "12"]),
)


def places(content: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Where a value that is read stands, in a real inventory."""
    for part, names in schema.READ.items():
        found = content.get(part)
        yield (part,)
        if isinstance(found, list):
            for number in range(min(len(found), 3)):
                yield from ((part, number, name) for name in names)
        elif isinstance(found, dict):
            yield from ((part, name) for name in names)


PLACES = [(number, place) for number, content in enumerate(REAL) for place in places(content)]


def complaints(content: dict[str, Any]) -> set[str]:
    """Where the peer finds fault with what we read, as we write it."""
    found = set()
    for error in PEER.iter_errors({"deviceid": "x", "content": content}):
        steps = list(error.absolute_path)[1:]
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
        if error.validator == "required":
            path += "." + error.message.split("'")[1]
        found.add(path.lstrip("."))
    return found


@pytest.mark.parametrize("content", REAL)
def test_real_inventories_fit_as_the_peer_says(content: dict[str, Any]) -> None:
    notes = schema.Notes()
    parts = schema.fitted(content, notes)
    assert notes.all() == ()
    assert set(parts) == set(content) & set(schema.READ)
    ours = {path for path in complaints(content) if path.split(".")[0].split("[")[0] in schema.READ}
    assert ours == set()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), ANY)
def test_nothing_is_left_aside_that_the_peer_accepts(
    where: tuple[int, tuple[Any, ...]], value: Any
) -> None:
    number, place = where
    content = {place[0]: copy.deepcopy(REAL[number].get(place[0]))}
    target: Any = content
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    notes = schema.Notes()
    parts = schema.fitted(content, notes)
    faults = complaints(content)
    for note in notes.all():
        path = note.split(" is ")[0].split(" has ")[0]
        told = any(path.startswith(fault) or fault.startswith(path) for fault in faults)
        assert told, (note, faults)
    for part in parts.values():
        for one in part if isinstance(part, list) else [part]:
            assert isinstance(one, dict)


def test_what_fits_is_of_the_type_that_the_schema_asks() -> None:
    kinds = {"string": str, "integer": int, "boolean": bool}
    for content in REAL:
        for name, part in schema.fitted(content, schema.Notes()).items():
            for one in part if isinstance(part, list) else [part]:
                for field, value in one.items():
                    wanted = schema.shapes()[name].values[field]
                    assert isinstance(value, kinds[wanted.type])
