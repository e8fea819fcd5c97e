"""task: 3.2
does: forgets to standardise the items of the data set
hint: Compare an item's image with the one that you gave: did anything happen to it?
"""


class SceneDataset(Dataset):
    def __init__(self, images: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        self.images, self.boxes, self.labels = images, boxes, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        return self.images[n], self.boxes[n], self.labels[n]
