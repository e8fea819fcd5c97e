"""task: 3.5
does: returns bfloat16 in training
hint: What is the dtype of the answers in training mode?
"""


class SSD(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.base = BaseConvolutions()
        self.auxiliary = AuxiliaryConvolutions()
        self.prediction = PredictionConvolutions([32, 64, 64], [len(RATIOS) + 1] * 3, num_classes)
        self.register_buffer("priors", make_priors(FEATURE_SIZES, SCALES, RATIOS))
        # Pooling and convolutions are a fifth faster when a pixel's channels lie together.
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        # Half precision is exact enough to learn with, and takes 0.6 of the time.
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            features = self.base(images.contiguous(memory_format=torch.channels_last))
            features = features + self.auxiliary(features[-1])
            offsets, logits = self.prediction(features)
        return offsets, logits, [one.float() for one in features]
