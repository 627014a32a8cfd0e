"""A password that does not show itself: not in a repr, not in an error, not in a log."""

from __future__ import annotations


class Secret:
    """Holds one password. `reveal()` is called where it is sent, and nowhere else."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def reveal(self) -> str:
        """The password itself."""
        return self._value

    def cut_from(self, text: str) -> str:
        """`text` without the password, should a machine send it back to us."""
        return text.replace(self._value, "***") if self._value else text
