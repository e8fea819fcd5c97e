"""Pictures in cell outputs with words for those who cannot see them."""

from base64 import b64encode
from html import escape
from io import BytesIO
from typing import NamedTuple

from matplotlib.figure import Figure
from PIL.Image import Image


class Described(NamedTuple):
    """A picture and the words that stand for it, shown where it ends a notebook cell.

    Attributes:
        picture: of matplotlib or Pillow.
        words: what it shows, a sentence or a few.
    """

    picture: Figure | Image
    words: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return it as an HTML image with alt text, as a plain PNG, and as words."""
        buffer = BytesIO()
        if isinstance(self.picture, Figure):
            self.picture.savefig(buffer, format="png")
        else:
            self.picture.save(buffer, "PNG")
        png = b64encode(buffer.getvalue()).decode("ascii")
        alt = escape(self.words, quote=True)
        html = f'<img alt="{alt}" src="data:image/png;base64,{png}" style="max-width: 100%">'
        return {"text/html": html, "image/png": png, "text/plain": self.words}


def described(picture: Figure | Image, words: str) -> Described:
    """Give a picture the words that stand for it."""
    return Described(picture, " ".join(words.split()))
