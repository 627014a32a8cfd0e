"""What a measure is given on a host: its variables, and how far it may go there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kitsurvie.errors import InventoryError
from kitsurvie.kit.measures import RESERVED
from kitsurvie.model import Measure, Mode


def resolve(measure: Measure, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The measure's defaults overlaid by the host's own `<id>__` variables."""
    prefix = f"{measure.id}__"
    reserved = {prefix + name for name in RESERVED}
    return {
        **measure.defaults,
        **{k: v for k, v in variables.items() if k.startswith(prefix) and k not in reserved},
    }


def mode(measure: Measure, variables: Mapping[str, Any]) -> Mode:
    """How far the measure goes on a host: its own mode, else the kit's, else observe.

    YAML reads a bare `off` as false, so false is off. Raises InventoryError for a word that is no
    mode.
    """
    word = variables.get(f"{measure.id}__mode", variables.get("kit__mode", Mode.OBSERVE))
    try:
        return Mode.OFF if word is False else Mode(word)
    except ValueError as error:
        raise InventoryError(
            f"The mode of the measure {measure.id} is {word!r}, not "
            f"{', '.join(mode.value for mode in Mode)}.",
            remedy="Find the line with: kitsurvie inventory check",
        ) from error
