"""How good predictions are, each measure a number from 0 to 1."""

from torch import Tensor
from torchvision.ops import box_iou


def label_accuracy(labels: Tensor, true_labels: Tensor) -> float:
    """Return the share of labels that are right.

    Args:
        labels: (N,) int64, predicted; N at least 1.
        true_labels: (N,) int64.
    """
    require_pairs(labels, true_labels)
    return (labels == true_labels).double().mean().item()


def mean_iou(boxes: Tensor, true_boxes: Tensor) -> float:
    """Return the mean over images of the IoU of the predicted box and the true one.

    Args:
        boxes: (N, 4) float, predicted, `xyxy` in any unit; N at least 1. A box whose sides are
            exchanged, or which is not finite, has IoU 0.
        true_boxes: (N, 4) float, `xyxy` in the same unit, x_min < x_max and y_min < y_max.
    """
    require_pairs(boxes, true_boxes)
    ious = box_iou(boxes.double(), true_boxes.double()).diagonal()
    sound = (boxes[:, 2:] > boxes[:, :2]).all(1) & boxes.isfinite().all(1)
    return ious.where(sound, 0.0).mean().item()


def require_pairs(predicted: Tensor, true: Tensor) -> None:
    """Object to predictions that do not pair with the truth, or to none at all.

    Raises:
        ValueError: the shapes differ, or there is nothing to measure.
    """
    if predicted.shape != true.shape or len(true) == 0:
        raise ValueError(
            f"predictions of shape {tuple(predicted.shape)} do not pair with the truth, "
            f"{tuple(true.shape)}"
        )
