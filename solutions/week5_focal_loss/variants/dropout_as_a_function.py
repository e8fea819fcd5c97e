"""task: 5.1
does: drops with F.dropout, and registers the normalisation first
"""


class ConvBlock(nn.Module):
    def __init__(self, channels_in, channels_out, stride=2, drop=0.1):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_out)
        self.conv = nn.Conv2d(channels_in, channels_out, (3, 3), (stride, stride), (1, 1))
        self.p = drop

    def forward(self, features):
        features = self.norm(self.conv(features).clamp(min=0))
        return F.dropout(features, self.p, self.training)
