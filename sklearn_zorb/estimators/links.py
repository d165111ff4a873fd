"""Where the diagram of an estimator links to."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


class LinksToSource:
    """Mixin that gives scikit-learn's diagrams the page of an estimator.

    It is the file with its docstring, at the address that the project names as its source.
    """

    _doc_link_module = "sklearn_zorb"

    @property
    def _doc_link_template(self) -> str:
        source = source_address()
        return f"{source}/blob/main/{{path}}.py" if source else ""

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"path": type(self).__module__.replace(".", "/")}


@cache
def source_address() -> str:
    """The address of the project's source, from its metadata; "" where there is none."""
    try:
        links = metadata("sklearn-zorb").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return dict(link.split(", ", 1) for link in links).get("Source", "")
