"""task: 5.3
does: names every layer, and concatenates as it goes
"""


class SSDHead(nn.Module):
    def __init__(self, channels_in, num_classes, width=256, drop=0.1, bias=-4.0):
        super().__init__()
        self.answers = OutputBlock(width, 9, num_classes, bias)
        self.to_one = ConvBlock(width, width, 2, drop)
        self.to_two = ConvBlock(width, width, 2, drop)
        self.to_four = ConvBlock(width, width, 2, drop)
        self.narrow = ConvBlock(channels_in, width, 1, drop)

    def forward(self, features):
        four = self.to_four(self.narrow(features))
        two = self.to_two(four)
        one = self.to_one(two)
        parts = [self.answers(x) for x in (four, two, one)]
        return tuple(torch.cat([part[n] for part in parts], dim=1) for n in range(2))
