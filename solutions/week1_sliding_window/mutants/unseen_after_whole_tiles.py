"""task: 1.6
does: unseen counts what is left when windows lie side by side
hint: You count what is left over by windows that do not overlap. Where does the last window end
when the next one begins only 2 pixels further?
"""


def unseen(height: int, width: int) -> tuple[int, int]:
    return height % WINDOW, width % WINDOW
