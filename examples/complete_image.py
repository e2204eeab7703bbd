"""The lower half of an image, sampled several times given the upper half.

python examples/complete_image.py MODEL IMAGE
"""

# %% The model and the image.
import argparse
from pathlib import Path

from PIL import Image

import rarl

parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
parser.add_argument("model", help="a folder that rarl export wrote, or a pretrained model")
parser.add_argument("image", type=Path, help="it is cropped to a square and resized")
parser.add_argument("--count", type=int, default=5, help="completions")
parser.add_argument("--output", type=Path, default=Path("completed.png"))
options = parser.parse_args()

model = rarl.load(options.model)
size = model.image_size
with Image.open(options.image) as opened:
    side = min(opened.size)
    left, top = (opened.width - side) // 2, (opened.height - side) // 2
    square = opened.convert("RGB").crop((left, top, left + side, top + side))
image = square.resize((size, size), Image.Resampling.LANCZOS)

# %% The prior samples the codes of the rows below, given all codes above them.
completions = model.complete([image] * options.count, rows=size // 2, seed=0, output_type="pil")

# %% The image, its reconstruction (the best that codes can give), the completions.
[reconstruction] = model.decode(model.encode(image), output_type="pil")
row = [image, reconstruction, *completions]
sheet = Image.new("RGB", (size * len(row), size))
for place, shown in enumerate(row):
    sheet.paste(shown, (size * place, 0))
sheet.save(options.output)
print(f"{options.output}: the image, its reconstruction, {options.count} completions")
