"""The oldest versions that pyproject.toml allows, as constraints for pip: `python tests/oldest.py`.

What tests and builds the tool is no part of it: of that the newest is taken.
"""

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]
TOOLS = "test"


def oldest(project=PROJECT):
    """Return the lower bound of each dependency and of each extra's, by name."""
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(one for extra, each in extras.items() if extra != TOOLS for one in each),
    ]
    found = [
        re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?(?:>=([\d.]+)(?:,<[\d.]+)?)?", one) for one in wanted
    ]
    return {each[1]: each[2] for each in found if each[1] != project["name"]}


if __name__ == "__main__":
    for name, version in oldest().items():
        print(f"{name}=={version}")
