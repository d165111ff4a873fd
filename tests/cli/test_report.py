"""``zorb report``: one page of HTML that needs nothing else."""

import json
import re
from html.parser import HTMLParser

import pytest

from sklearn_zorb.datasets import make_flats

pytest.importorskip("pandas")
SMALL = ("--network", "Stack(Identity | Dense[16] Tanh)")


class Page(HTMLParser):
    """Cells of the tables below each heading, and what would be fetched."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.fetched, self.inside, self.dots = {}, [], None, 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.fetched += [attrs[name] for name in ("src", "href") if name in attrs]
        self.dots += tag == "circle"
        self.inside = tag

    def handle_data(self, data):
        if self.inside == "h2":
            self.sections[data] = []
        elif self.inside in ("td", "th") and self.sections:
            self.sections[list(self.sections)[-1]].append(data)

    def handle_endtag(self, tag):
        self.inside = None


def report(zorb, elsewhere, data):
    zorb("fit", data, *SMALL, "--save", "m.zorb")
    result = json.loads(zorb("report", "m.zorb", data, "--output", "page.html", "--json"))
    text = (elsewhere / "page.html").read_text(encoding="utf-8")
    assert "http" not in text
    return result, Page(text)


def test_report_of_classes(zorb, elsewhere):
    result, page = report(zorb, elsewhere, "wine")
    assert result["n_rows"] == 178 and page.fetched == [] and page.dots == 10
    expected = json.loads(zorb("evaluate", "wine", "--load", "m.zorb", "--json"))["scores"]
    assert result["scores"] == expected
    assert f"{expected['log_loss']:.4f}" in page.sections["Scores"]
    blocks = page.sections["What the model is made of"]
    assert "weight" in blocks and "Dense[16] Tanh" in blocks
    worst = page.sections["Rows that it predicts worst"]
    width = worst.index("x12") + 1
    losses = [float(cell) for cell in worst[width + 3 :: width]]
    assert len(losses) == 10 and losses == sorted(losses, reverse=True)


def test_report_of_numbers_with_text_and_gaps(zorb, elsewhere):
    X, y = make_flats(120, random_state=0)
    X.drop(columns="listed").assign(note="<b>", target=y).to_csv("flats.csv", index=False)
    result, page = report(zorb, elsewhere, "flats.csv")
    assert result["scores"]["r2"] > 0.5 and page.dots == 10
    assert {"city", "area", "heating"} <= {*page.sections["Importances of columns"]}
    # what stands in a table is text, no markup
    assert "<b>" in page.sections["Rows that it predicts worst"]


def test_report_refuses_to_overwrite_the_model(zorb, refuses, elsewhere):
    zorb("fit", "wine", *SMALL, "--save", "m.zorb")
    before = (elsewhere / "m.zorb").read_bytes()
    refuses("m.zorb", "report", "m.zorb", "wine", "--output", "m.zorb")
    assert (elsewhere / "m.zorb").read_bytes() == before


@pytest.mark.parametrize("data", ["two_spirals", "xor"])
def test_arrays_have_numbered_columns(zorb, elsewhere, data):
    page = report(zorb, elsewhere, data)[1]
    assert re.fullmatch(r"column [01]", page.sections["Importances of columns"][0])
