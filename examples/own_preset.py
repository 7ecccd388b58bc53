"""A preset of one's own: a mapping from sections to settings. In config.toml:

    preset = "own_preset:CAREFUL"

What stands in config.toml itself wins. A preset can be a TOML file too: preset = "careful.toml".
"""

CAREFUL = {
    # The teacher follows slowly where the domains agree, and not at all where they do not.
    "method": {
        "alpha_aligned": 0.95,
        "alpha_conflict": 1.0,
        "transform": ["paper", "own_transform:Washout"],
        "segmentation_loss": "own_loss:TverskyLoss",
    },
    "optimization": {"learning_rate": 1e-3, "schedule": "cosine", "warmup_steps": 2},
    # Strengths of transforms, the program's own included, are the keywords of their classes.
    "transforms": {"paper": {"strength": 0.5}},
}
