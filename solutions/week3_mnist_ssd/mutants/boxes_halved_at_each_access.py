"""task: 3.2
does: halves the boxes of an item at each access
hint: Ask for the same item twice: is it the same?
"""


class SceneDataset(Dataset):
    def __init__(self, images: Tensor, boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        self.images, self.boxes, self.labels = images, boxes, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        image, boxes = standardize(self.images[n]), self.boxes[n]
        self.boxes = [*self.boxes[:n], boxes * 0.5, *self.boxes[n + 1 :]]
        return image, boxes, self.labels[n]
