"""Write the documentation's figures and plots from the JSON that benchmarks left."""

from pathlib import Path

from . import automl, blocks, claims, rules_page
from .tabular import page

DOC = Path(__file__).parent.parent / "doc" / "results"
# layer texts are long, and goals are for whoever runs the script
HIDDEN = ("layers", "to reach", "fit s to reach")


def cell(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    code = isinstance(value, str) and "[" in value and "`" not in value
    return f"``{value}``" if code else str(value)


def list_table(rows):
    """A reStructuredText table; columns that no row fills are left out."""
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n not in HIDDEN]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [dict(zip(names, names, strict=True)), *rows]:
        for i, name in enumerate(names):
            lines.append(f"   {'*' if i == 0 else ' '} - {cell(row.get(name, '—'))}")
    return "\n".join(lines)


def main():
    (DOC / "images").mkdir(exist_ok=True)
    claims.page(DOC, list_table)
    page.main(DOC, list_table)
    blocks.page(DOC, list_table)
    rules_page.page(DOC, list_table)
    automl.page(DOC, list_table)


if __name__ == "__main__":
    main()
