"""What the house can carry, as ratios against the limits of the machine it runs on."""
