"""task: 2.1
does: an 8-bit PIL image, turned with `expand=True` and resized by PIL, then pasted
"""

from PIL import Image


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    def draw(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    picture = TF.to_pil_image(F.pad(digit, (2, 2, 2, 2)))
    picture = picture.rotate(draw(-30, 30), Image.Resampling.BICUBIC, expand=True)
    scale = draw(MIN_SCALE, MAX_SCALE)
    sides = [round(side * scale) for side in picture.size]
    picture = picture.resize(sides, Image.Resampling.BILINEAR)
    picture = picture.crop(picture.getbbox())
    canvas = Image.new("L", (SIDE, SIDE))
    x, y = (int(draw(0, SIDE - side + 1)) for side in picture.size)
    canvas.paste(picture, (x, y))
    return TF.to_tensor(canvas)
