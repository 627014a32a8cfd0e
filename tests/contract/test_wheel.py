"""What `pip install kitsurvie` brings is enough to begin with, far from any checkout."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARRIED = ("inventory", "playbooks", "roles", "monitoring")


def run(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "KITSURVIE"))}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source archive, the wheel made from it, and under `direct/` the one made from the tree."""
    target = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation", ROOT, "--outdir")
    run(*build, target, cwd=target)
    run(*build, target / "direct", "--wheel", cwd=target)
    return target


def digests(wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if ".dist-info/" not in name
        }


def on_disk(folder: str) -> dict[str, str]:
    root = ROOT / folder
    files = (path for path in root.rglob("*") if path.is_file())
    return {
        f"kitsurvie/data/{folder}/{path.relative_to(root)}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in files
        if not {"__pycache__", ".ansible"} & set(path.parts)
    }


@pytest.mark.parametrize("folder", CARRIED)
def test_the_wheel_carries_every_file_of_the_kit(built: Path, folder: str) -> None:
    [wheel] = built.glob("*.whl")
    found = {k: v for k, v in digests(wheel).items() if k.startswith(f"kitsurvie/data/{folder}/")}
    assert found == on_disk(folder)


def test_the_wheel_carries_what_equipment_is_looked_up_in(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    folder = "kitsurvie/assets/data/"
    found = {k.removeprefix(folder) for k in digests(wheel) if k.startswith(folder)}
    assert found == {path.name for path in (ROOT / "src" / folder).iterdir()}


def test_the_wheel_is_the_same_from_the_tree_and_from_the_source_archive(built: Path) -> None:
    [from_archive] = built.glob("*.whl")
    [from_tree] = (built / "direct").glob("*.whl")
    assert digests(from_archive) == digests(from_tree)
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        links = [member.name for member in opened.getmembers() if member.islnk() or member.issym()]
    assert links == []


def pins(folder: Path) -> list[str]:
    """The pinned versions as options of pip; their hashes are for installing a deployment."""
    constraints = ROOT / "constraints.txt"
    if not constraints.is_file():
        return []
    text = re.sub(r"\s*\\?\n?\s*--hash=\S+", "", constraints.read_text("utf-8"))
    (folder / "pins.txt").write_text(text, "utf-8")
    return ["--constraint", str(folder / "pins.txt")]


def test_a_bare_environment_gets_a_workspace_and_the_catalogue(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    venv.create(tmp_path / "bare", with_pip=True)
    pip = (tmp_path / "bare/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", *pins(tmp_path), wheel, cwd=tmp_path)
    kitsurvie = tmp_path / "bare/bin/kitsurvie"
    away = tmp_path / "away"
    away.mkdir()

    # neither the checkout nor the environment is on PATH: only what was installed is there
    bare_path = {"PATH": "/usr/bin:/bin", "HOME": str(away)}
    said = run(kitsurvie, "init", away / "my-syndicate", cwd=away, **bare_path)
    assert "kitsurvie inventory check" in said.stdout
    listed = run(kitsurvie, "kit", "list", "--json", cwd=away, **bare_path)
    names = {measure["id"] for measure in json.loads(listed.stdout)["measures"]}
    assert names == {path.parent.name for path in (ROOT / "roles").glob("*/measure.yml")}
    shown = run(kitsurvie, "inventory", "show", "--json", cwd=away / "my-syndicate", **bare_path)
    assert len(json.loads(shown.stdout)["hosts"]) == 14
    where = run(
        tmp_path / "bare/bin/python", "-c", "import kitsurvie; print(kitsurvie.__file__)", cwd=away
    )
    assert where.stdout.startswith(str(tmp_path / "bare"))
