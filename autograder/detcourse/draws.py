"""Cases are drawn until they suit. If none ever does that is a slip of the staff's, and no hang."""

from collections.abc import Iterator

# In quick audits of all weeks no case took more than 28 draws, and none eight or more on the mean.
MOST_DRAWS = 1000


class Undrawable(Exception):
    """There are hardly any cases like those that a check asks for."""


def draws() -> Iterator[None]:
    """Yield once for each draw of a case, to be left when it suits.

    Raises:
        Undrawable: none has suited.
    """
    for _ in range(MOST_DRAWS):
        yield
    raise Undrawable(f"none of {MOST_DRAWS} draws suited")
