"""task: 4.4
does: names its layers, registers the last first, and returns a tuple
"""


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        for n, inputs in ((11, 256), (10, 256), (9, 512), (8, 1024)):
            narrow, wide = (256, 512) if n == 8 else (128, 256)
            shape = {"stride": 2, "padding": 1} if n < 10 else {}
            setattr(self, f"conv{n}_2", nn.Conv2d(narrow, wide, kernel_size=3, **shape))
            setattr(self, f"conv{n}_1", nn.Conv2d(inputs, narrow, kernel_size=1))
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)

    def forward(self, conv7):
        out8 = self.conv8_2(self.conv8_1(conv7).relu()).relu()
        out9 = self.conv9_2(self.conv9_1(out8).relu()).relu()
        out10 = self.conv10_2(self.conv10_1(out9).relu()).relu()
        out11 = self.conv11_2(self.conv11_1(out10).relu()).relu()
        return out8, out9, out10, out11
