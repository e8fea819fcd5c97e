"""The digits of the hidden test: staff's alone, neither students nor their code may see them.

Source and licence are those of `detlab.digits`.
"""

from pathlib import Path

from torch import Tensor

from detlab.digits import read_digits

HIDDEN_DIGITS = Path(__file__).with_name("data") / "hidden_digits.npz"
HIDDEN_DIGITS_SHA256 = "5eb387f96d66a2fa05f339489772a82efadcd53e1ca12b639d45f66f4fb862a8"
# The part's number in the file's column `split`; 0 and 1 are the students'.
HIDDEN = 2


def load_hidden_digits() -> tuple[Tensor, Tensor]:
    """Load the 500 digits of the hidden test, 50 of each class, in an order without pattern.

    Returns:
        (500, 1, 28, 28) float32 images in [0, 1]; (500,) int64 labels, 0 to 9.

    Raises:
        DataError: the file is missing or damaged.
    """
    images, labels, _ = read_digits(HIDDEN_DIGITS, HIDDEN_DIGITS_SHA256)
    return images, labels
