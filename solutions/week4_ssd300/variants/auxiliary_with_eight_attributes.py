"""task: 4.4
does: eight named layers and functions for the ReLUs; weights begun layer by layer
"""


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv8_1 = nn.Conv2d(1024, 256, kernel_size=1)
        self.conv8_2 = nn.Conv2d(256, 512, kernel_size=3, stride=2, padding=1)
        self.conv9_1 = nn.Conv2d(512, 128, kernel_size=1)
        self.conv9_2 = nn.Conv2d(128, 256, kernel_size=3, stride=2, padding=1)
        self.conv10_1 = nn.Conv2d(256, 128, kernel_size=1)
        self.conv10_2 = nn.Conv2d(128, 256, kernel_size=3)
        self.conv11_1 = nn.Conv2d(256, 128, kernel_size=1)
        self.conv11_2 = nn.Conv2d(128, 256, kernel_size=3)
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)
            nn.init.constant_(layer.bias, 0)

    def forward(self, conv7):
        conv8 = F.relu(self.conv8_2(F.relu(self.conv8_1(conv7))))
        conv9 = F.relu(self.conv9_2(F.relu(self.conv9_1(conv8))))
        conv10 = F.relu(self.conv10_2(F.relu(self.conv10_1(conv9))))
        conv11 = F.relu(self.conv11_2(F.relu(self.conv11_1(conv10))))
        return [conv8, conv9, conv10, conv11]
