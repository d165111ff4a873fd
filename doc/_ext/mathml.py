"""Mathematics as MathML, which browsers draw by themselves: nothing is fetched."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.logging import getLogger

logger = getLogger(__name__)


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True}


def visit_math(translator, node):
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    translator.body.append(f'<div class="math-block">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def mathml(node, display):
    """Convert a formula; warn where the converter leaves commands of TeX as they are."""
    formula = convert(node.astext(), display=display)
    left = re.findall(r"\\\w*", re.sub("<[^>]*>", "", formula))
    if left:
        logger.warning("latex2mathml does not know %s", ", ".join(left), location=node)
    return formula
