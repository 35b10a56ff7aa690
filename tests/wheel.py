"""Check what a built wheel holds: `python tests/wheel.py lstm_cli-0.1.0-py3-none-any.whl`."""

import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("cli", "lstm", "weights")
# What lies in the packages and is no code: types, schemas, the page, the models and their notice.
DATA = re.compile(
    r"(cli|lstm|weights)/py\.typed"
    r"|cli/schemas/\w+\.schema\.json"
    r"|cli/formats/html/\w+\.(css|html|js)"
    r"|weights/pretrained/\w+/(\w+\.safetensors|NOTICE)"
)
CODE = re.compile(r"(cli|lstm|weights)/([a-z0-9_]+/)*[a-z0-9_]+\.py")
ABOUT = re.compile(
    r"lstm_cli-[\d.]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt|licenses/.+)"
)
# Run by hand to make the models, and what they measured.
SCRIPTS = re.compile(r"weights/pretrained/(by_hand\.py|\w+/(?!__init__)\w+\.py)")


def strangers(names):
    """Return what has no business in the wheel."""
    wanted = (CODE, DATA, ABOUT)
    return [
        name
        for name in names
        if SCRIPTS.fullmatch(name) or not any(one.fullmatch(name) for one in wanted)
    ]


def missing(names):
    """Return what the repository has and the wheel has not."""
    there = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file()
    }
    wanted = {name for name in there if not strangers([name])}
    return sorted(wanted - set(names))


def main():
    with zipfile.ZipFile(sys.argv[1]) as archive:
        names = archive.namelist()
    if found := strangers(names):
        sys.exit(f"error: came with the wheel: {', '.join(found)}")
    if lost := missing(names):
        sys.exit(f"error: did not come with the wheel: {', '.join(lost)}")
    print(f"{len(names)} files: {', '.join(PACKAGES)} and their data")


if __name__ == "__main__":
    main()
