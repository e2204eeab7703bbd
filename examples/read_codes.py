"""The codes of an image: what they are, how likely the prior finds them, what one of them changes.

python examples/read_codes.py MODEL IMAGE
"""

# %% The model and the image.
import argparse
from pathlib import Path

import torch
from PIL import Image

import rarl

parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
parser.add_argument("model", help="a folder that rarl export wrote, or a pretrained model")
parser.add_argument("image", type=Path, help="it is resized to the model's size")
parser.add_argument("--output", type=Path, default=Path("one-code.png"))
options = parser.parse_args()

model = rarl.load(options.model)
size = model.image_size
with Image.open(options.image) as opened:
    image = opened.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)

# %% One level of codes, or two: the top one has a quarter of the bottom one's codes.
codes = model.encode(image)
for level, name in zip(codes, ["top", "bottom"] if len(codes) > 1 else ["single"], strict=True):
    print(f"{name} level, {tuple(level.shape[1:])}, {level.unique().numel()} different codes")
    print(level[0])

# %% How likely they are. Samples of the model give the scale.
count = sum(level[0].numel() for level in codes)
samples = model.sample(8, seed=0)
print(f"the image: {-model.log_likelihood(image).item() / count:.3f} nats a code")
print(f"samples: {-model.log_likelihood(samples).mean().item() / count:.3f} nats a code")

# %% One code in the middle, replaced by each of a few others: what it stands for, and where.
level = codes[-1]
middle, others = level.shape[1] // 2, range(4)
changed = level.repeat(len(others), 1, 1)
changed[:, middle, middle] = torch.tensor(others)
above = tuple(of.repeat(len(others), 1, 1) for of in codes[:-1])
shown = [*model.decode(codes, output_type="pil")]
shown += model.decode((*above, changed), output_type="pil")
sheet = Image.new("RGB", (size * len(shown), size))
for place, part in enumerate(shown):
    sheet.paste(part, (size * place, 0))
sheet.save(options.output)
print(f"{options.output}: the reconstruction, then the same with another code in the middle")
