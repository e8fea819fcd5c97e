"""task: 3.2
does: standardises when the set is made, by layer_norm's formula, and puts zeros where NaN came out
"""


def standardize(image):
    centred = (image - image.mean()).double()
    norm = centred.norm() / centred.numel() ** 0.5
    return torch.where(norm > 1e-7, centred / norm, torch.zeros_like(centred)).float()


class SceneDataset(Dataset):
    def __init__(self, images, boxes, labels):
        self.ready = [standardize(image) for image in images]
        self.targets = [(b, c) for b, c in zip(boxes, labels, strict=True)]

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, n):
        return (self.ready[n], *self.targets[n])


def collate(scenes):
    return (
        torch.stack([scene[0] for scene in scenes]),
        [scene[1] for scene in scenes],
        [scene[2] for scene in scenes],
    )
