"""Week 1's pictures: what they say in words; lines differ in dashes, not in colour alone."""

import pytest
import torch
from torch import nn

from detlab.picture import Picture
from detlab.plotting import (
    COLOURS,
    DASHES,
    Block,
    Step,
    draw_network,
    draw_receptive_field,
    draw_window_table,
    draw_windows,
    draw_windows_and_cells,
    example_image,
    outline,
)

IMAGE = example_image(20, 28)
BOXES = [(0, 0, 14, 14), (2, 0, 16, 14), (0, 2, 14, 16)]


def test_windows_are_told_in_words_and_by_dashes() -> None:
    figure = draw_windows(IMAGE, BOXES, ["first", "second", "third"])
    assert figure.alt.startswith("An image, 20 pixels high and 28 wide")
    assert "second x 2 to 16, y 0 to 14; third x 0 to 14, y 2 to 16." in figure.alt
    dashes = [patch.get_linestyle() for patch in figure.axes[0].patches]
    assert len({str(dash) for dash in dashes}) == len(BOXES)


def test_a_window_stands_where_it_is_unless_an_edge_would_hide_another() -> None:
    figure = draw_windows(IMAGE, [*BOXES, (14, 4, 28, 18)], ["first", "second", "third", "last"])
    lefts = [patch.get_x() for patch in figure.axes[0].patches[:4]]
    assert lefts == [0, 2.2, 0.2, 14]


def test_windows_and_their_cells() -> None:
    figure = draw_windows_and_cells(IMAGE, BOXES[:2], [(0, 0), (0, 1)], (4, 8))
    assert "B, output cell (0, 1), x 2 to 16, y 0 to 14." in figure.alt
    assert "4 rows and 8 columns" in figure.alt


def test_a_network_in_words() -> None:
    blocks = [Block("", (3, 16, 16), marked=14), Block("conv 5×5\n+ ReLU", (16, 12, 12))]
    expected = "input 3×16×16, of which the upper left 14×14 are marked; "
    expected += "conv 5×5 + ReLU gives 16×12×12"
    assert draw_network(blocks).alt.endswith(expected)


def test_a_table_of_windows_in_words() -> None:
    assert "2 rows and 3 columns" in draw_window_table(torch.rand(2, 3, 3, 4, 4)).alt


@pytest.mark.parametrize("cell", [0, 2])
def test_what_a_cell_sees_is_where_its_gradient_is(cell: int) -> None:
    """The words come from the drawn cells; PyTorch is the referee."""
    steps = [Step("conv 3", 3), Step("max-pool 2", 2, 2), Step("conv 2", 2, 1, 2)]
    figure = draw_receptive_field(steps, [cell], 20)
    net = nn.Sequential(nn.Conv1d(1, 8, 3), nn.AvgPool1d(2, 2), nn.Conv1d(8, 1, 2, dilation=2))
    line = torch.zeros(1, 1, 20, requires_grad=True)
    net(line)[0, 0, cell].backward()
    seen = line.grad[0, 0].nonzero().flatten().tolist()
    assert f"Output cell {cell} sees cells {seen[0]} to {seen[-1]} of the image" in figure.alt


def test_there_are_dashes_for_all_colours() -> None:
    assert len(DASHES) == len({str(dash) for dash in DASHES}) == len(COLOURS)


def test_an_outline_is_its_box() -> None:
    figure = Picture()
    patch = figure.add_subplot().add_patch(outline((1, 2, 4, 6), ec="red"))
    assert patch.get_bbox().extents.tolist() == [1, 2, 4, 6]
    assert not patch.get_fill()
