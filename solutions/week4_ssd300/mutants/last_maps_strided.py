"""task: 4.4
does: gives all 3×3 convolutions stride 2
hint: Your conv10 jumps over cells. Which of the four blocks have stride 2?
"""


class AuxiliaryConvolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        rows = [(1024, 256, 512, 2, 1), (512, 128, 256, 2, 1), (256, 128, 256, 2, 1)]
        rows.append((256, 128, 256, 2, 0))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(channels, narrow, 1), nn.ReLU(inplace=True)),
                *(nn.Conv2d(narrow, wide, 3, stride, padding), nn.ReLU(inplace=True)),
            )
            for channels, narrow, wide, stride, padding in rows
        )
        give_fresh_weights(self)

    def forward(self, conv7: Tensor) -> list[Tensor]:
        maps = [conv7]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:]
