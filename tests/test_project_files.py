"""Files that other tools read say what `pyproject.toml` and `.ci/run` say."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# what conda calls otherwise
CONDA = {"matplotlib": "matplotlib-base"}


def text_of(path):
    if not (ROOT / path).is_file():
        pytest.skip(f"a source distribution leaves {path} out")
    return (ROOT / path).read_text(encoding="utf-8")


def parts_of(recipe):
    """The lines of each part of the requirements: package and least version."""
    parts = re.findall(r"^  (\w+):\n((?:    - .*\n)+)", recipe.split("requirements:")[1], re.M)
    return {name: set(re.findall(r"- (.+)", lines)) for name, lines in parts}


def pins(requirements):
    found = map(Requirement, requirements)
    return {f"{CONDA.get(one.name, one.name)} {one.specifier}".strip() for one in found}


def test_the_conda_recipe_asks_for_the_same_packages():
    recipe, project = text_of("conda/meta.yaml"), PROJECT["project"]
    python = f"python {project['requires-python']}"
    parts = parts_of(recipe)
    assert parts["run"] == pins(project["dependencies"]) | {python}
    assert parts["host"] == pins(PROJECT["build-system"]["requires"]) | {python, "pip"}
    extras = project["optional-dependencies"]
    assert parts["run_constrained"] == pins([*extras["demo"], *extras["parquet"]])
    command = re.search(r"- (\w+ = \S+)", recipe)[1]
    assert command == "zorb = " + project["scripts"]["zorb"]
    assert project["description"] in recipe and project["license"] in recipe


def test_the_image_installs_extras_that_there_are():
    extras = re.search(r"/source\[([\w,]+)\]", text_of("Dockerfile"))[1].split(",")
    assert set(extras) <= set(PROJECT["project"]["optional-dependencies"])


def test_the_workflow_runs_all_checks_on_the_oldest_python():
    workflow = text_of(".github/workflows/check.yml")
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert f'python: ["{oldest}", "3.x"]' in workflow
    assert "run: bash .ci/run" in workflow
