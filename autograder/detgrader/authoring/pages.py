"""An extension of Sphinx: formulas as MathML, which browsers draw without scripts or fonts of ours.

They are translated when the site is built, so one that nobody can read is an error there. What is
no heading of a column, since it is empty, is no heading for those either who are read to.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger
from sphinx.writers.html5 import HTML5Translator

LOG = getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of the renderer `mathml`, and of what is mended on each page."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.connect("html-page-context", plain_corners)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(page: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a sentence."""
    page.body.append(mathml(node, wide=False))
    raise nodes.SkipNode


def display(page: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands by itself; one that is too wide is scrolled, by keys as well."""
    page.body.append('<div class="formula" tabindex="0">')
    page.body.append(mathml(node, wide=True))
    page.body.append("</div>\n")
    raise nodes.SkipNode


def plain_corners(app: Sphinx, name: str, template: str, page: dict[str, Any], tree: Any) -> None:
    """Make empty headings of tables plain cells."""
    if "body" in page:
        page["body"] = re.sub(r"<th( [^>]*)?>(<p></p>)?</th>", r"<td\1></td>", page["body"])


def mathml(node: nodes.Element, wide: bool) -> str:
    """Translate a formula, or warn of what cannot be read."""
    try:
        return LatexToMathML().convert_with_local_state(node.astext(), displaystyle=wide)
    except LatexError as error:
        LOG.warning("the formula %r: %s", node.astext(), error, location=node)
        return ""
