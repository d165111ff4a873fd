"""README, documentation pages and examples: what they show is run."""

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest

import sklearn_zorb
from sklearn_zorb.cli import main
from sklearn_zorb.testing import check_layer

ROOT = Path(__file__).resolve().parents[1]
DOC = ROOT / "doc"
RESEARCH = DOC / "research"  # where the files of the tutorials lie
COMMAND_LINE = DOC / "howto" / "command_line.rst"
WRITTEN = {"generated", "gallery", "_build"}  # by Sphinx
PAGES = [
    ROOT / "README.rst",
    *sorted(page for page in DOC.rglob("*.rst") if not WRITTEN & {*page.relative_to(DOC).parts}),
]
# packages of pages that are left out where they are not installed
NEEDS = {"automl.rst": "optuna", "onnx.rst": "onnxruntime"}
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_doctests_of_pages(page, monkeypatch):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.syspath_prepend(str(RESEARCH))
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=FLAGS)
    assert failed == 0, "the output above says what came in place of what"


def test_commands_of_the_command_line_page(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    commands = re.findall(r"^    \$ zorb (.+)$", _read(COMMAND_LINE), re.MULTILINE)
    assert len(commands) > 10
    monkeypatch.chdir(tmp_path)
    for command in commands:
        code = main(shlex.split(command))
        assert code == 0, f"zorb {command}: {capsys.readouterr().err}"
    assert (tmp_path / "wine.png").stat().st_size > 0


def test_the_page_names_every_command(capsys):
    assert main(["dance"]) == 2
    choices = capsys.readouterr().err.partition("choose from")[2]
    commands = re.findall(r"\w+", choices.partition(")")[0])
    page = _read(COMMAND_LINE)
    assert len(commands) > 5 and not [name for name in commands if f"$ zorb {name}" not in page]


def test_layer_of_the_tutorial(monkeypatch):
    monkeypatch.syspath_prepend(str(RESEARCH))
    from softsign import Softsign

    assert "literalinclude:: softsign.py" in _read(RESEARCH / "write_a_layer.rst")
    check_layer(Softsign(), (4,))
    check_layer(Softsign(0.9), (3, 2))


def test_api_page_lists_every_public_name():
    listed = _listed()
    for name in ("automl", "layers", "trainers", "datasets", "inspection", "testing", "linalg"):
        module = importlib.import_module(f"sklearn_zorb.{name}")
        names = listed[module.__name__]
        assert sorted(set(module.__all__) - names) == [], "add these to doc/api.rst"
        assert sorted(names - set(module.__all__)) == [], "doc/api.rst lists these, which are gone"
    assert listed["sklearn_zorb"] <= set(sklearn_zorb.__all__)
    assert set(sklearn_zorb.__all__) <= set().union(*listed.values())


def test_links_of_the_readme_lead_somewhere():
    links = re.findall(r"<([^>`]+)>`_", _read(ROOT / "README.rst"))
    assert links
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing


def _read(path):
    return path.read_text(encoding="utf-8")


def _listed():
    """Names that the page of the API lists, by module."""
    sections = re.split(r"^\.\. currentmodule:: (\S+)$", _read(DOC / "api.rst"), flags=re.MULTILINE)
    name, listed = re.compile(r"^(?:   |\.\. data:: )(\w+)$", re.MULTILINE), {}
    for module, text in zip(sections[1::2], sections[2::2], strict=True):
        listed.setdefault(module, set()).update(name.findall(text))
    return listed
