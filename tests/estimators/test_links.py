"""Diagrams of estimators link to a page of the project."""

import re
import tomllib
from email.message import Message
from pathlib import Path

import pytest

from sklearn_zorb import NetworkRegressor, ZORBClassifier, ZORBTransformer
from sklearn_zorb.estimators import links

ROOT = Path(__file__).resolve().parents[2]
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]


@pytest.fixture
def installed(monkeypatch):
    """Let the package be installed with links of the project."""

    def with_links(urls):
        metadata = Message()
        for name, url in urls.items():
            metadata["Project-URL"] = f"{name}, {url}"
        monkeypatch.setattr(links, "metadata", lambda name: metadata)
        links.source_address.cache_clear()

    yield with_links
    links.source_address.cache_clear()


@pytest.mark.parametrize("Estimator", [ZORBClassifier, NetworkRegressor, ZORBTransformer])
def test_the_page_has_the_class(Estimator, installed):
    installed(URLS)
    # parameters link to places in the same page
    (page,) = set(re.findall(rf'"{URLS["Source"]}/blob/main/([^"#]+)', Estimator()._repr_html_()))
    assert f"\nclass {Estimator.__name__}(" in (ROOT / page).read_text(encoding="utf-8")


def test_without_an_address_there_is_no_link(installed):
    installed({})
    assert "blob/main" not in ZORBClassifier()._repr_html_()
