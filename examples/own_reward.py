"""Fine-tuning for a reward that you write in Python: here, images of strong colours.

    python examples/own_reward.py ~/images

A reward is a function of images, (B, 3, H, W) uint8, that gives a score for each, (B,): more is
better. It need not be differentiable. Run it where config.yaml lies.
"""

# %% The reward. The workflow imports this file and calls the function.
import argparse
import subprocess
import sys
from pathlib import Path

import torch
import yaml
from torch import Tensor


def colourfulness(images: Tensor) -> Tensor:
    """(B, 3, H, W) uint8 to (B,): the mean range of the channels, 0 for grey to 1."""
    channels = images.float() / 255
    return (channels.amax(1) - channels.amin(1)).mean((1, 2))


# %% A data set, an experiment, and a method with the reward, beside those of the default.
def configuration(images: Path, image_size: int, codes: int) -> dict:
    """`kl_weight` says how far the samples may move from the images, for the reward's sake."""
    reward = {"kind": "python", "file": str(Path(__file__).resolve()), "function": "colourfulness"}
    folder = {"kind": "folder", "path": str(images), "val_fraction": 0.1}
    layers = (image_size // codes).bit_length() - 1  # each halves the side
    return {
        "datasets": {"own": {**folder, "crop": "center", "max_images": None}},
        "experiments": {
            "own": {
                "dataset": "own",
                "image_size": image_size,
                "latents": [codes],
                "vqvae": {"layers": layers},
            }
        },
        "methods": {
            "colourful": {
                "label": "Strong colours",
                "objective": "reinforce",
                "rl": {"reward": reward, "kl_weight": 0.05},
            }
        },
    }


# %% The score of images: a check before hours of training.
def check() -> None:
    grey, red = torch.full((1, 3, 8, 8), 128), torch.zeros(1, 3, 8, 8)
    red[:, 0] = 255
    print("grey, red:", colourfulness(torch.cat([grey, red]).to(torch.uint8)).tolist())


# %% The workflow fine-tunes the MLE prior for it; then sample.
def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("images", type=Path, help="any tree of images")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--codes", type=int, default=8, help="side of the square of codes")
    parser.add_argument("--configfile", default="config.yaml", help="the settings to start from")
    parser.add_argument("--cores", default="8")
    options = parser.parse_args()
    check()
    own = configuration(options.images, options.image_size, options.codes)
    Path("own-reward.yaml").write_text(yaml.safe_dump(own))
    configfiles = ["--configfile", options.configfile, "own-reward.yaml"]
    snakefile = Path(__file__).resolve().parent.parent / "Snakefile"
    subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", snakefile),
            *("--cores", options.cores, *configfiles),
            *("--", "results/own/colourful/prior.safetensors"),
        ],
        check=True,
    )
    sampling = ["sample", "own", "colourful", "own-reward-samples", *configfiles]
    subprocess.run([sys.executable, "-m", "rarl.cli", *sampling], check=True)


if __name__ == "__main__":  # the workflow imports this file for the function alone
    main()
