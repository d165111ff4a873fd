"""Write the documentation's figures and plots from the JSON that benchmarks left."""

from pathlib import Path

from . import automl, blocks, claims, images, rules_page
from .tabular import page

DOC = Path(__file__).parent.parent / "doc" / "results"
# layer texts are long, and goals are for whoever runs the script
HIDDEN = ("layers", "to reach", "fit s to reach")


NOTHING = "—"


def cell(value):
    if is_empty(value):
        return NOTHING
    if isinstance(value, float):
        return f"{value:.4g}"
    code = isinstance(value, str) and "[" in value and "`" not in value
    return f"``{value}``" if code else str(value)


def is_empty(value):
    return value is None or value == "" or value != value


def list_table(rows, empty="not measured"):
    """A reStructuredText table; `empty` says below it what a dash in it stands for.

    Columns that no row fills are left out.
    """
    filled = [{n: v for n, v in row.items() if n not in HIDDEN and not is_empty(v)} for row in rows]
    names = [
        n for n in dict.fromkeys(n for row in rows for n in row) if any(n in f for f in filled)
    ]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [dict(zip(names, names, strict=True)), *filled]:
        for i, name in enumerate(names):
            lines.append(f"   {'*' if i == 0 else ' '} - {cell(row.get(name))}")
    if any(len(row) < len(names) for row in filled):
        lines += ["", f"{NOTHING} {empty}"]
    return "\n".join(lines)


def main():
    (DOC / "images").mkdir(exist_ok=True)
    claims.page(DOC, list_table)
    page.main(DOC, list_table)
    blocks.page(DOC, list_table)
    rules_page.page(DOC, list_table)
    automl.page(DOC, list_table)
    images.page(DOC, list_table)


if __name__ == "__main__":
    main()
