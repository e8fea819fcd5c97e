"""task: 4.5
does: flattens the cells first and transposes matrices; all logits' heads before all offsets' heads
"""


class PredictionConvolutions(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.num_classes = num_classes
        counts = [len(ratios) + 1 for ratios in RATIOS]
        self.heads = nn.ModuleList(
            nn.Conv2d(channels, numbers * count, 3, 1, 1)
            for numbers in (num_classes, 4)
            for channels, count in zip(CHANNELS, counts, strict=True)
        )
        give_fresh_weights(self)

    def forward(self, features):
        def rows(heads, numbers):
            found = []
            for head, x in zip(heads, features, strict=True):
                cells = head(x).flatten(start_dim=2).transpose(1, 2)
                found.append(cells.reshape(x.shape[0], -1, numbers))
            return torch.cat(found, dim=1)

        half = len(self.heads) // 2
        logits = rows(self.heads[:half], self.num_classes)
        return rows(self.heads[half:], 4), logits
