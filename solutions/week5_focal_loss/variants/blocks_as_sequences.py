"""task: 5.1
does: builds the block as an nn.Sequential, its layers numbered
"""


class ConvBlock(nn.Sequential):
    def __init__(self, channels_in, channels_out, stride=2, drop=0.1):
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(channels_out),
            nn.Dropout(drop),
        )
