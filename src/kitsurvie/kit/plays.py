"""Which measures the playbook applies."""

from __future__ import annotations

from pathlib import Path

import yaml

from kitsurvie.errors import KitError


def played(playbooks: Path) -> frozenset[str]:
    """The measures that have a play of their own in `kit.yml`, by its tags.

    Raises KitError when the playbook cannot be read.
    """
    path = playbooks / "kit.yml"
    try:
        plays = yaml.safe_load(path.read_text(encoding="utf-8"))
        return frozenset(tag for play in plays for tag in play.get("tags", ()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, TypeError) as error:
        raise KitError(
            "The playbook of the kit cannot be read.",
            where=str(path),
            remedy="Bring the file back, or take your own playbooks/ folder away.",
        ) from error
