"""task: 3.2
does: F.batch_norm over the one image; a set that keeps its three parts as one tuple
"""


def standardize(image):
    if bool((image == image.flatten()[0]).all()):
        return image * 0.0
    mean, deviation = image.mean(), image.std(unbiased=False)
    return F.batch_norm(image[None], mean[None], deviation[None] ** 2, eps=0.0)[0]


class SceneDataset(Dataset):
    def __init__(self, images, boxes, labels):
        self.parts = images, boxes, labels

    def __len__(self):
        return self.parts[0].shape[0]

    def __getitem__(self, n):
        image, boxes, labels = (part[n] for part in self.parts)
        return standardize(image), boxes, labels


def collate(scenes):
    columns = [list(column) for column in zip(*scenes, strict=True)]
    return torch.stack(columns[0]), columns[1], columns[2]
