"""A folder of your images: configuration, workflow, table, and a model to take away.

    python examples/own_folder.py ~/images

Run it where config.yaml lies. The results go to the folder that the configuration names.
"""

# %% What to train: image size and side of the codes decide time and quality.
import argparse
import math
import subprocess
import sys
from pathlib import Path

import yaml

import rarl
from rarl.config import load

parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
parser.add_argument("images", type=Path, help="any tree of images")
parser.add_argument("--image-size", type=int, default=64)
parser.add_argument("--codes", type=int, default=8, help="side of the square of codes")
parser.add_argument("--configfile", default="config.yaml", help="the settings to start from")
parser.add_argument("--cores", default="8")
options = parser.parse_args()

# %% Your lines of configuration overlay the default's.
own = {
    "datasets": {
        "own": {
            "kind": "folder",
            "path": str(options.images),
            "crop": "center",
            "max_images": None,
            "val_fraction": 0.1,
        }
    },
    "experiments": {
        "own": {
            "dataset": "own",
            "image_size": options.image_size,
            "latents": [options.codes],
            "vqvae": {"layers": int(math.log2(options.image_size / options.codes))},
        }
    },
    "tables": {
        "own": {
            "kind": "distance",
            "title": "My images",
            "columns": {"own": f"{options.image_size}x{options.image_size}"},
            "rows": ["mle", "single"],
            "paper": {},
        }
    },
}
Path("own.yaml").write_text(yaml.safe_dump(own))
configfiles = [Path(options.configfile), Path("own.yaml")]
results = Path(load(*configfiles).results)  # raises in one line what is wrong with them

# %% The workflow makes the table, and on the way the models.
snakefile = Path(__file__).resolve().parent.parent / "Snakefile"
subprocess.run(
    [
        *(sys.executable, "-m", "snakemake", "--snakefile", snakefile),
        *("--cores", options.cores, "--configfile", *configfiles),
        *("--", results / "tables" / "own.csv"),
    ],
    check=True,
)
print((results / "tables" / "own.md").read_text())

# %% The model as a folder. `other`: you know the licence of your images.
subprocess.run(
    [
        *(sys.executable, "-m", "rarl.cli", "export", "own", "single", "own-model"),
        *("--license", "other", "--configfile", *configfiles),
    ],
    check=True,
)
rarl.load("own-model").sample(1, seed=0, output_type="pil")[0].save("own-sample.png")
