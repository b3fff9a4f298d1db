"""The house itself: what is pinned, what `make` says when it cannot build, which imports the linter refuses."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = ("flows", "tasks", "expectations")


def declared() -> dict[str, Requirement]:
    """Every requirement that pyproject.toml names, by its canonical name."""
    groups = PROJECT["dependency-groups"]
    lines = [*PROJECT["project"]["dependencies"], *groups["build"], *(x for x in groups["dev"] if isinstance(x, str))]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def extra() -> dict[str, Requirement]:
    """Every requirement of the extra `ocr`, by its canonical name."""
    lines = PROJECT["project"]["optional-dependencies"]["ocr"]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, lines)}


def locked(file: str = "dev") -> dict[str, str]:
    """What a lock in requirements/ says about each package: its entry, from pin to pin, by canonical name."""
    text = (ROOT / f"requirements/{file}.txt").read_text("utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    return {canonicalize_name(re.split(r"[=\[]", entry, maxsplit=1)[0]): entry for entry in entries}


def pinned_version(entry: str) -> str:
    pin = re.match(r"[A-Za-z0-9._-]+(?:\[[^\]]*\])?==(\S+)", entry)
    assert pin, f"not pinned: {entry.splitlines()[0]}"
    return pin[1]


@pytest.mark.parametrize("name", sorted(declared()))
def test_what_pyproject_asks_for_is_pinned_within_its_bounds(name: str) -> None:
    entry = locked().get(name)
    assert entry, f"{name} is not in requirements/dev.txt: run `make lock`"
    assert declared()[name].specifier.contains(pinned_version(entry)), f"the pin of {name} is stale: run `make lock`"


def test_every_entry_of_the_locks_is_pinned_and_hashed() -> None:
    entries = locked()
    assert len(entries) > len(declared())
    for entry in entries.values():
        assert pinned_version(entry)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_the_lock_holds_nothing_that_pyproject_no_longer_asks_for() -> None:
    asked = {name for name, entry in locked().items() if re.search(r"# .*\bwenliu \(pyproject\.toml", entry)}
    assert asked == set(declared())


def test_the_extra_is_pinned_and_hashed_and_brings_no_other_version_of_anything() -> None:
    entries = locked("ocr")
    for name, requirement in extra().items():
        assert requirement.specifier.contains(pinned_version(entries[name])), name
    for name, entry in entries.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry
        assert name not in locked() or pinned_version(locked()[name]) == pinned_version(entry), name


def test_the_builder_is_pinned_alike_in_both_locks() -> None:
    alone = (ROOT / "requirements/build.txt").read_text("utf-8")
    assert re.findall(r"^setuptools==\S+", alone, re.MULTILINE) == [
        "setuptools==" + pinned_version(locked()["setuptools"])
    ]
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]


@pytest.mark.parametrize(
    "file",
    ["pyproject.toml", "Makefile", ".ci/run", "requirements/build.txt", "requirements/dev.txt", "requirements/ocr.txt"],
)
def test_no_address_stands_where_packages_are_named(file: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", (ROOT / file).read_text("utf-8"))


def test_every_library_has_its_reason_in_the_decisions() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text("utf-8")
    explained = {canonicalize_name(name) for name in re.findall(r"^\| `([^`]+)`", decisions, re.MULTILINE)}
    assert explained == set(declared()) | set(extra())


def test_every_data_file_of_the_packages_is_installed_with_them() -> None:
    suffixes = {"." + pattern.rpartition(".")[2] for pattern in PROJECT["tool"]["setuptools"]["package-data"]["*"]}
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    left_behind = {str(path) for path in files if path.suffix not in suffixes | {".py", ".pyc"}}
    assert not left_behind


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {PROJECT['project']['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


# What stands in for the interpreter, and the remedy that the one line must name.
UNFIT = {
    "missing": (None, "install Python 3.11 or later"),
    "broken": ("exit 127", "install Python 3.11 or later"),
    "too old": ("echo 1", "install a newer one"),
    "without venv": ('case "$2" in *ensurepip*) exit 1;; *) echo 0;; esac', "apt install python3-venv"),
}


def make(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run make as if typed by hand, also when these tests are run by make."""
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("script", "remedy"), UNFIT.values(), ids=UNFIT.keys())
def test_a_python_that_will_not_do_gets_one_line_with_the_remedy(
    tmp_path: Path, script: str | None, remedy: str
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    python = tmp_path / "python"
    if script is not None:
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    made = make("setup", f"PYTHON={python}", cwd=tmp_path)
    assert made.returncode != 0
    assert made.stdout == ""
    assert len(made.stderr.splitlines()) == 1
    assert remedy in made.stderr
    assert str(python) in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_alone_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets
    assert re.findall(r"^make (\S+)", make(cwd=ROOT).stdout, re.MULTILINE) == targets[1].split()


# A module that breaks a rule, and the contract that must say so.
FORBIDDEN_IMPORTS = [
    ("tasks/clean.py", "import flows", "flows -> expectations -> tasks"),
    ("tasks/quality.py", "from expectations import suites", "flows -> expectations -> tasks"),
    ("expectations/suites.py", "from flows import settings", "flows -> expectations -> tasks"),
    ("tasks/document.py", "from tasks import dataset", "from the journey to the stages to the nouns"),
    ("tasks/sources.py", "def plan():\n    import prefect", "Prefect is known to flows alone"),
    ("expectations/suites.py", "import prefect", "Prefect is known to flows alone"),
    ("tasks/release.py", "import great_expectations", "by one door each"),
    ("flows/ingest.py", "import great_expectations", "by one door each"),
    ("tasks/reflow/order.py", "import pdfplumber", "by one door each"),
    ("expectations/check.py", "import jieba", "by one door each"),
]


def linter_says(house: Path) -> tuple[int, str]:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=house, capture_output=True, text=True, timeout=120, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The packages with every module of theirs empty, and the contracts: quick to lint."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            empty = tmp_path / path.relative_to(ROOT)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    return tmp_path


def test_the_contracts_have_nothing_against_modules_that_import_nothing(house: Path) -> None:
    status, said = linter_says(house)
    assert status == 0, said
    assert " 0 broken" in said


@pytest.mark.parametrize(("module", "code", "contract"), FORBIDDEN_IMPORTS)
def test_an_import_against_the_direction_fails_the_lint(house: Path, module: str, code: str, contract: str) -> None:
    (house / module).write_text(code + "\n", "utf-8")
    status, said = linter_says(house)
    assert status == 1, said
    broken = [line for line in said.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), said


def test_the_deployment_names_the_flow_there_is() -> None:
    import yaml  # type: ignore[import-untyped]  # Prefect brings it

    from flows.ingest import ingest

    (deployment,) = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert deployment["entrypoint"] == f"{ingest.fn.__module__}.{ingest.name}"
    assert deployment["work_pool"]["name"] in (ROOT / "docs/operations.md").read_text("utf-8")
    assert set(deployment["parameters"]) <= set(ingest.parameters.properties)
