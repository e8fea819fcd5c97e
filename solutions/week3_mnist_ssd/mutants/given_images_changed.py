"""task: 3.2
does: standardises the images that it is given in their place
hint: What do the images look like that you gave to the data set?
"""


class SceneDataset(Dataset):
    def __init__(self, images: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        for n in range(len(images)):
            images[n] = standardize(images[n])
        self.images, self.boxes, self.labels = images, boxes, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        return self.images[n], self.boxes[n], self.labels[n]
