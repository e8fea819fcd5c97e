"""task: 1.8
does: builds the network with one more convolution as a class that registers its layers backwards
"""


class Backwards(nn.Module):
    def __init__(self):
        super().__init__()
        self.scores = nn.Linear(400, CLASSES)
        self.second = nn.Linear(400, 400)
        self.first = nn.Linear(16 * 5 * 5, 400)
        self.extra = nn.Conv2d(16, 16, 3)
        self.conv = nn.Conv2d(3, 16, 5)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv(x), 2).relu()
        x = self.extra(x).relu().flatten(1)
        return self.scores(self.second(self.first(x).relu()).relu())


def build_with_conv() -> nn.Module:
    return Backwards()
