"""What is fixed about CelebA. It decides what `prepare` computes, so fingerprints cover this file:
import it from here, not from `rarl.config`."""

CELEBA_WIDTH, CELEBA_HEIGHT = 178, 218  # pixels of an aligned image
