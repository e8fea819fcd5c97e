"""task: 3.2
does: divides by the other deviation, standardises in advance, collates by loops
"""


def standardize(image):
    std = image.std()
    return (image - image.mean()) / (std + 1e-5)


class SceneDataset(Dataset):
    def __init__(self, images, boxes, labels):
        super().__init__()
        self.scenes = [
            (standardize(i), b, c) for i, b, c in zip(images, boxes, labels, strict=False)
        ]

    def __len__(self):
        return len(self.scenes)

    def __getitem__(self, index):
        return self.scenes[index]


def collate(scenes):
    images, boxes, labels = [], [], []
    for scene in scenes:
        images.append(scene[0])
        boxes.append(scene[1])
        labels.append(scene[2])
    return torch.stack(images, dim=0), boxes, labels
