"""task: 4.4
does: returns what the 1×1 convolutions make
hint: Your maps have too few channels. After which of the two convolutions of a block is its map
taken?
"""


class AuxiliaryConvolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        rows = [(1024, 256, 512, 2, 1), (512, 128, 256, 2, 1)] + 2 * [(256, 128, 256, 1, 0)]
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
            maps.append(block[:2](conv7))
            conv7 = block[2:](maps[-1])
        return maps[1:]
