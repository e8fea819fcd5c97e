"""task: 4.5
does: flattens the maps column by column
hint: Your answers are right for cells on the diagonal. Which axis of a map is the row?
"""


class PredictionConvolutions(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        sizes = [(c, len(ratios) + 1) for c, ratios in zip(CHANNELS, RATIOS, strict=True)]
        self.offsets = nn.ModuleList(nn.Conv2d(c, 4 * k, 3, padding=1) for c, k in sizes)
        self.logits = nn.ModuleList(nn.Conv2d(c, num_classes * k, 3, padding=1) for c, k in sizes)
        give_fresh_weights(self)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:

        def flatten(layers: nn.ModuleList, numbers: int) -> Tensor:
            maps = [layer(x).permute(0, 3, 2, 1) for layer, x in zip(layers, features, strict=True)]
            return torch.cat([x.reshape(len(x), -1, numbers) for x in maps], 1)

        return flatten(self.offsets, 4), flatten(self.logits, self.num_classes)
