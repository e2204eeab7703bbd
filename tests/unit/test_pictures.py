"""Image grids show every image where it belongs, pixel by pixel."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from rarl.image_grid import CAPTION, GAP, GREY, MARGIN, SIDE, block, save


def test_a_block_is_a_grid_of_enlarged_images_row_by_row():
    images = torch.randint(256, (SIDE**2, 3, 16, 16), dtype=torch.uint8)
    pixels = np.asarray(block(["one line", "and another"], images))
    scale = 4  # 384 pixels for 6 images of 16
    pitch, above = 16 * scale + GAP, MARGIN + 2 * CAPTION
    canvas = pixels[above:-MARGIN, MARGIN:-MARGIN]
    assert canvas.shape == (SIDE * pitch + GAP, SIDE * pitch + GAP, 3)
    for number, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        top, left = GAP + pitch * (number // SIDE), GAP + pitch * (number % SIDE)
        tile = canvas[top : top + 16 * scale, left : left + 16 * scale]
        assert (tile == image.repeat(scale, 0).repeat(scale, 1)).all()
    assert (canvas[:GAP] == GREY).all()
    assert (canvas[GAP + 16 * scale : pitch + GAP, :GAP] == GREY).all()
    text = pixels[MARGIN // 2 : above, MARGIN:-MARGIN]
    assert text.min() < 100  # the caption
    assert (pixels[:, :MARGIN] == 255).all()


def test_images_are_saved_as_they_are(tmp_path: Path):
    images = torch.randint(256, (3, 3, 8, 8), dtype=torch.uint8)
    save([images[:2], images[2:]], tmp_path)
    for number, image in enumerate(images):
        with Image.open(tmp_path / f"{number:05}.png") as saved:
            assert (np.asarray(saved) == image.permute(1, 2, 0).numpy()).all()
    assert (tmp_path / "grid.png").is_file()
