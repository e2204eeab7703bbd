"""Where the repository lies, and the configuration that tests run."""

from pathlib import Path

HELPERS = Path(__file__).resolve().parent
ROOT = HELPERS.parent.parent
TINY = HELPERS / "tiny.yaml"
