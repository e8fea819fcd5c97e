"""task: 5.1
does: moves axes and flattens in two steps, and returns a list
"""


class OutputBlock(nn.Module):
    def __init__(self, channels_in, per_cell, num_classes, bias=-4.0):
        super().__init__()
        self.numbers = (4, num_classes)
        self.heads = nn.ModuleList(
            nn.Conv2d(channels_in, n * per_cell, 3, padding=1) for n in self.numbers
        )
        self.heads[1].bias.data[:] = bias

    def forward(self, features):
        return [
            head(features).flatten(2).movedim(1, 2).unflatten(2, (-1, n)).flatten(1, 2)
            for head, n in zip(self.heads, self.numbers, strict=True)
        ]
