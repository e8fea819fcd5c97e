"""task: 1.9
does: a recursive formula with a helper class, and counts of the corners that fit
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """What a cell sees: size and jump, both in pixels."""

    size: int = 1
    jump: int = 1

    def through(self, layer: nn.Module) -> "View":
        """Return the view of a cell one layer higher."""
        match layer:
            case nn.Conv2d(kernel_size=k, stride=s, dilation=d):
                return View(self.size + (k[0] - 1) * d[0] * self.jump, self.jump * s[0])
            case nn.MaxPool2d(stride=int(s)):
                return View(self.size + self.jump, self.jump * s)
            case nn.MaxPool2d(stride=(s, _)):
                return View(self.size + self.jump, self.jump * s)
        return self


def climb(layers: tuple[nn.Module, ...]) -> View:
    """Return the view of a cell on top of a stack."""
    return climb(layers[:-1]).through(layers[-1]) if layers else View()


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    view = climb(tuple(layers))
    counts = [len(range(0, side - view.size + 1, view.jump)) for side in input_size]
    return WindowGrid(view.size, view.jump, tuple(counts))


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    size, stride, _ = grid
    x, y = j * stride, i * stride
    return (x, y, x + size, y + size)
