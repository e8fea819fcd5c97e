"""task: 2.5
does: means times the number of elements, an early return when nothing is found, one-element terms
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    flat, truth = (
        part.permute(0, 2, 3, 1).reshape(-1, part.shape[1]) for part in (outputs, targets)
    )
    cells = len(flat)
    detection = nn.BCEWithLogitsLoss()(flat[:, :1], truth[:, :1]) * cells
    positive = torch.where((flat[:, 0].sigmoid() > 0.5) & (truth[:, 0] > 0.5))[0]
    nothing = (flat * 0).sum()
    if positive.numel() == 0:
        return {"detection": detection, "classification": nothing, "regression": nothing}
    flat, truth = flat[positive], truth[positive]
    one_hot = F.one_hot(truth[:, 1].long(), CLASSES)
    classification = nn.CrossEntropyLoss()(flat[:, 1:11], one_hot.float()) * len(flat)
    regression = nn.MSELoss()(flat[:, 11:], truth[:, 2:]) * len(flat)
    return {"detection": detection, "classification": classification, "regression": regression}
