"""Exact versions for requirements.lock: resolve pyproject.toml, or check that the lock still fits it.

python scripts/lock.py           resolve anew and write
python scripts/lock.py --check   fail where the lock does not fit pyproject.toml; contacts nothing
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
_STAMP = "# made from pyproject.toml with digest "


def wanted() -> list[str]:
    """Direct requirements: the project's, those of its `dev` extra, and the build tool of the editable install."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = content["project"]
    return sorted(
        [*project["dependencies"], *project["optional-dependencies"]["dev"], *content["build-system"]["requires"]]
    )


def digest(requirements: list[str]) -> str:
    return hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:16]


def check() -> list[str]:
    """What is wrong with the lock."""
    requirements, text = wanted(), LOCK.read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", text, flags=re.MULTILINE))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    faults = (
        []
        if _STAMP + digest(requirements) in text
        else ["pyproject.toml has changed since the lock was made; run `make lock`"]
    )
    for requirement in map(Requirement, requirements):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            faults.append(f"{requirement.name} is not in the lock")
        elif not requirement.specifier.contains(version, prereleases=True):
            faults.append(f"{requirement.name} {version} does not satisfy {requirement}")
    faults += [f"{name}=={version} has a local label" for name, version in pinned.items() if "+" in version]
    return faults


def resolve() -> None:
    """Ask pip for a full resolution in an empty environment's terms, and write it."""
    requirements = wanted()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--prefer-binary",
            "--quiet",
            "--report",
            str(report),
            *requirements,
        ]
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    lines = sorted(
        {f"{canonicalize_name(p['metadata']['name'])}=={p['metadata']['version'].split('+')[0]}" for p in found}
    )
    head = ["# Exact versions, made by `make lock`; do not edit.", _STAMP + digest(requirements)]
    LOCK.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if strange := set(sys.argv[1:]) - {"--check"}:
        sys.exit(f"unknown: {', '.join(sorted(strange))}\n{__doc__}")  # a slip must not resolve everything anew
    if "--check" in sys.argv[1:]:
        problems = check()
        for problem in problems:
            print(f"requirements.lock: {problem}", file=sys.stderr)  # noqa: T201
        sys.exit(bool(problems))
    resolve()
