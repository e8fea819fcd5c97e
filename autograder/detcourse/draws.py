"""Cases are drawn until they suit. If none ever does that is a slip of the staff's, and no hang."""

from collections.abc import Iterator

# The rarest case suits in one draw of 44 (`rivals` of 4.8): by chance ten thousand never fail.
MOST_DRAWS = 10_000


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
