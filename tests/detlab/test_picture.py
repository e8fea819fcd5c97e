"""Figures in a notebook: shown once, and with their words."""

from base64 import b64decode
from html.parser import HTMLParser

from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot

from detlab.picture import Described, Picture

PNG = b"\x89PNG"


class Images(HTMLParser):
    """The attributes of all images of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def test_words_go_with_the_image() -> None:
    figure = Picture(figsize=(1, 1)).described('a "small" one, 1 < 2')
    data, metadata = figure._repr_mimebundle_()
    assert data["image/png"].startswith(PNG)
    assert metadata == {"image/png": {"alt": figure.alt}}
    (image,) = Images(data["text/html"]).found
    assert image["alt"] == 'a "small" one, 1 < 2'
    kind, code = str(image["src"]).split(",")
    assert kind == "data:image/png;base64"
    assert b64decode(code) == data["image/png"]
    assert data["text/plain"] == figure.alt


def test_without_words_there_is_an_image_alone() -> None:
    data, metadata = Picture(figsize=(1, 1))._repr_mimebundle_()
    assert ([*data], metadata) == (["image/png"], {})


def test_a_figure_of_pyplots_is_shown_once() -> None:
    figure, _ = pyplot.subplots(figsize=(1, 1))
    shown = Described(figure, "empty axes")
    assert not pyplot.fignum_exists(figure.number)
    data, metadata = shown._repr_mimebundle_()
    assert data["image/png"].startswith(PNG)
    assert metadata["image/png"]["alt"] == "empty axes"


def test_ipython_takes_the_words() -> None:
    """Also where its own printer for figures is active."""
    from IPython.core.pylabtools import select_figure_formats

    shell = InteractiveShell()
    select_figure_formats(shell, {"png"})
    data, metadata = shell.display_formatter.format(Picture(figsize=(1, 1)).described("words"))
    assert metadata["image/png"] == {"alt": "words"}
    assert "words" in data["text/html"]
