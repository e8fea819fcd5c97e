"""task: 3.2
does: torch.var_mean, a branch for flat images, a plain list of items, a loop in collate
"""


def standardize(image):
    variance, mean = torch.var_mean(image, correction=0)
    if variance <= 1e-12:
        return torch.zeros_like(image)
    return (image - mean) * variance.rsqrt()


class SceneDataset(Dataset):
    def __init__(self, images, boxes, labels):
        super().__init__()
        self.items = list(zip(images, boxes, labels, strict=True))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, n):
        image, boxes, labels = self.items[n]
        return standardize(image), boxes, labels


def collate(scenes):
    images, boxes, labels = [], [], []
    for image, box, label in scenes:
        images.append(image.unsqueeze(0))
        boxes.append(box)
        labels.append(label)
    return torch.cat(images), boxes, labels
