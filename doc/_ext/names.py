"""Short names of the documentation: `Dense` is a link to its page of the API.

Names of scikit-learn lead to its site.
"""

import re
from pathlib import Path

from docutils import nodes

SKLEARN = "https://scikit-learn.org/stable/modules/generated/"
# a module, or a name that the page of the API lists
LISTED = re.compile(r"^(?:\.\. currentmodule:: (\S+)|(?:   |\.\. data:: )(\w+))$", re.MULTILINE)


def setup(app):
    app.connect("builder-inited", collect)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True}


def collect(app):
    """Keep where each public name is documented, by the name."""
    app.env.public_names, module = {}, None
    for found, name in LISTED.findall(Path(app.srcdir, "api.rst").read_text(encoding="utf-8")):
        module = found or module
        if name:
            app.env.public_names.setdefault(name, f"{module}.{name}")


def resolve(app, env, node, contnode):
    """Return the link for a name that Sphinx does not find as it is; None leaves it plain."""
    if node.get("refdomain") != "py":
        return None
    name, *rest = node["reftarget"].removesuffix("()").split(".")
    if name == "sklearn" and rest:
        address = f"{SKLEARN}{'.'.join([name, *rest])}.html"
        return nodes.reference("", "", contnode, internal=False, refuri=address)
    if name not in env.public_names:
        return None
    target = ".".join([env.public_names[name], *rest])
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)
