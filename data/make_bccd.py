"""Make the embedded picture of blood cells: uv run python data/make_bccd.py

It shows what week 4 trains on where the set itself is not there. It needs the set: first run
`detlab data bccd`.
"""

import io
from hashlib import sha256

from PIL import Image

from detlab import cell_plots
from detlab.picture import png_of

SCALES = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9)  # of week 4's priors


def main() -> None:
    """Draw the picture and keep it, with its words in the file's comment."""
    found = cell_plots.draw_cells(SCALES)
    picture = Image.open(io.BytesIO(png_of(found.figure))).convert("RGB")
    picture.save(
        cell_plots.KEPT, "JPEG", quality=80, optimize=True, comment=found.alt.encode("utf-8")
    )
    content = cell_plots.KEPT.read_bytes()
    print(f"{cell_plots.KEPT.name}: {len(content):,} bytes, SHA-256 {sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
