"""task: 5.3
does: applies one more ReLU to the features, and keeps its blocks in a Sequential
"""


class SSDHead(nn.Module):
    def __init__(self, channels_in, num_classes, width=256, drop=0.1, bias=-4.0):
        super().__init__()
        widths = [channels_in] + 4 * [width]
        self.blocks = nn.Sequential(
            *(
                ConvBlock(widths[n], widths[n + 1], stride=1 if n == 0 else 2, drop=drop)
                for n in range(4)
            )
        )
        self.out = OutputBlock(width, PER_CELL, num_classes, bias=bias)

    def forward(self, features):
        x, boxes, classes = F.relu(features), [], []
        for n, block in enumerate(self.blocks):
            x = block(x)
            if n:
                some, others = self.out(x)
                boxes.append(some)
                classes.append(others)
        return torch.cat(boxes, 1), torch.cat(classes, 1)
