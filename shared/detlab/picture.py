"""Figures in a notebook, with words for those who cannot see them."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import Any, Self

from matplotlib.figure import Figure
from PIL.Image import Image

Bundle = tuple[dict[str, Any], dict[str, dict[str, str]]]


class Picture(Figure):
    """A Figure outside pyplot, shown once where it ends a notebook cell.

    Attributes:
        alt: what it shows, in words; what a screen reader says.
    """

    alt = ""

    def described(self, alt: str) -> Self:
        """Say in words what the picture shows; return the picture itself."""
        self.alt = alt
        return self

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        """Show it, as an image, and in a page with its words."""
        return bundle_of(self, self.alt)

    def _repr_png_(self) -> bytes:
        return png_of(self)


class Described:
    """A figure, of pyplot's too, or an image of Pillow's, shown once, with its words.

    Attributes:
        figure: what is shown.
        alt: what it shows, in words.
    """

    def __init__(self, figure: Figure | Image, alt: str) -> None:
        from matplotlib import pyplot

        self.figure, self.alt = figure, " ".join(alt.split())
        if isinstance(figure, Figure):
            pyplot.close(figure)  # or the notebook would show it once more

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        """Show it, as an image, and in a page with its words."""
        return bundle_of(self.figure, self.alt)


def png_of(figure: Figure | Image, tight: bool = True) -> bytes:
    """Render a figure, cut to what is drawn, or else in its full size; or an image."""
    buffer = BytesIO()
    if isinstance(figure, Figure):
        figure.savefig(buffer, format="png", bbox_inches="tight" if tight else None)
    else:
        figure.save(buffer, "PNG")
    return buffer.getvalue()


def image_tag(png: bytes, alt: str) -> str:
    """Write an image as HTML, with its words.

    Args:
        png: the file's bytes.
        alt: what it shows.
    """
    code = b64encode(png).decode("ascii")
    style = "max-width: 100%; background: white"
    return f'<img alt="{escape(alt)}" style="{style}" src="data:image/png;base64,{code}">'


def bundle_of(figure: Figure | Image, alt: str) -> Bundle:
    """Return what a notebook shows of a figure, and what it says about that.

    Jupyter's front ends take an image's words from HTML only, what turns notebooks into pages takes
    them from the metadata as well.
    """
    png = png_of(figure)
    if not alt:
        return {"image/png": png}, {}
    data = {"image/png": png, "text/html": image_tag(png, alt), "text/plain": alt}
    return data, {"image/png": {"alt": alt}}
