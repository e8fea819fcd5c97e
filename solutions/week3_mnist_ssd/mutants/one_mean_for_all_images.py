"""task: 3.2
does: standardises all images by one mean and deviation
hint: Whose mean is subtracted: the image's own, or that of all images?
"""


class SceneDataset(Dataset):
    def __init__(self, images: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        self.images, self.boxes, self.labels = standardize(images), boxes, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        return self.images[n], self.boxes[n], self.labels[n]
