"""rarl: Reinforced Adversarial Learning for autoregressive image generation."""
