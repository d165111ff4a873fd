"""Where the diagram of an estimator links to."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


def link_template(estimator: object) -> str:
    """Where the file of an estimator's docstring is, at the address of the project's source."""
    source = source_address()
    return f"{source}/blob/main/{{path}}.py" if source else ""


def link_fields(estimator: object) -> dict[str, str]:
    """What stands for the braces in a `link_template`."""
    return {"path": type(estimator).__module__.replace(".", "/")}


@cache
def source_address() -> str:
    """The address of the project's source, from its metadata; "" where there is none."""
    try:
        links = metadata("sklearn-zorb").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return dict(link.split(", ", 1) for link in links).get("Source", "")
