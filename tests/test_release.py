"""What a release is made by agrees with the project: versions, requirements, workflows, container, recipe."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from napari_d24fad import __version__

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / ".ci" / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
IN_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return loaded


def named_and_lowest(requirement: str) -> tuple[str, str]:
    found = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)(,<[\d.]+)?", requirement)
    assert found, f"{requirement}: no lowest version"
    return found[1].lower(), found[2]


def test_the_newest_entry_of_changes_is_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d\S*) - \d{4}-\d\d-\d\d$", changes, re.MULTILINE)[0] == __version__


def test_every_requirement_has_a_lowest_version() -> None:
    bounded = set(map(named_and_lowest, PROJECT["dependencies"]))
    assert len(bounded) == len(PROJECT["dependencies"])
    for requirement in itertools.chain(*PROJECT["optional-dependencies"].values()):
        if requirement != "napari<0.10":  # whose lowest is among those above
            named_and_lowest(requirement)


def test_the_recipe_for_conda_requires_what_the_package_does() -> None:
    run = dict(line.split(" >=") for line in RECIPE["requirements"]["run"])
    assert run.pop("python") == "${{ python_min }}"
    assert PROJECT["requires-python"] == f">={RECIPE['context']['python_min']}"
    declared = dict(map(named_and_lowest, PROJECT["dependencies"]))
    assert run == {IN_CONDA.get(name, name): lowest for name, lowest in declared.items()}
    assert RECIPE["context"]["version"] == __version__
    (entry,) = RECIPE["build"]["python"]["entry_points"]
    assert PROJECT["scripts"] == dict([entry.split(" = ")])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_what_the_workflows_run_is_there(workflow: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    commands = [step["run"] for job in jobs(workflow).values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        assert set(re.findall(r"\bmake ([a-z]+)", command)) <= targets
        for name in re.findall(r"(?:^| )(\.ci/\S+)", command):
            assert (ROOT / name).is_file()
    versions = re.findall(r'"(3\.\d+)"', workflow.read_text(encoding="utf-8"))
    told = {f"Programming Language :: Python :: {version}" for version in versions}
    assert told <= set(PROJECT["classifiers"])


def test_the_release_runs_only_actions_that_nobody_can_exchange() -> None:
    (release,) = (jobs(path) for path in WORKFLOWS if path.stem == "release")
    used = [step["uses"] for job in release.values() for step in job["steps"] if "uses" in step]
    assert any("publish" in name for name in used)
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used)
    may_sign = {name for name, job in release.items() if "id-token" in job.get("permissions", {})}
    assert may_sign == {"publish"}
    assert set(release["publish"]["needs"]) == set(release) - may_sign


def test_the_container_is_made_of_files_that_are_there() -> None:
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {"pyproject.toml", "napari_d24fad", "resources"} <= set(copied)
    assert all((ROOT / name).exists() for name in copied)
