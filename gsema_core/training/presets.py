"""Named methods: what each row of the paper's ablation, and each literal reading, sets."""

from __future__ import annotations

from typing import Any

NO_CONTRAST: dict[str, Any] = {"volume_contrast": False, "boundary_contrast": False}

_STUDENT: dict[str, Any] = {
    "alpha_aligned": 0.0,
    "alpha_conflict": 0.0,
    "consistency_weight": 0.0,
    **NO_CONTRAST,
}

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    # The paper's text: the teacher follows where gradients agree, and only there.
    # Its learning rate falls to a tenth every tenth of the run, as 100 epochs of it did.
    "paper": {
        "method": {"alpha_aligned": 0.9, "alpha_conflict": 1.0},
        "optimization": {"learning_rate": 1e-3, "schedule": "step", "warmup_steps": 0},
    },
    # The paper's method with this program's learning rates: nothing but the settings' defaults.
    "default": {},
    # Conflicts slow the teacher instead of stopping it.
    "paper_soft": {"method": {"alpha_aligned": 0.9, "alpha_conflict": 0.9999}},
    # What the authors' published training does, as far as this project has it.
    "code": {
        "method": {
            "alpha_aligned": 0.9,
            "alpha_conflict": 0.999,
            "conflict_warmup": True,
            "similarity": "sign_cosine",
            "volume_contrast": False,
            "boundary_magnitude": True,
            "transform": ["gin"],
        },
        "optimization": {
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "schedule": "constant",
            "warmup_steps": 0,
            "clip_norm": 0.0,
        },
    },
    # Tarvainen and Valpola's, NeurIPS 2017: 0.999 in every step, no gate and no contrast. The
    # ablation's row "EMA" is another: there the coefficient is that of the gated rows.
    "mean_teacher": {
        "method": {
            "alpha_aligned": 0.999,
            "alpha_conflict": 0.999,
            "conflict_warmup": True,
            **NO_CONTRAST,
        }
    },
    # Algorithm 1 as printed, its condition being the opposite of the text: the teacher follows
    # in conflict, and is warmed up there.
    "algorithm1": {
        "method": {"alpha_aligned": 1.0, "alpha_conflict": 0.9, "conflict_warmup": True}
    },
    # The ablation's row "no EMA": the teacher is the student, and nothing is contrasted.
    "no_ema": {"method": _STUDENT},
    # The paper's rivals, without an average of weights or a contrast.
    # VASeg is a supervised U-Net whose aneurysms weigh 0.8 and the rest 0.2.
    "vaseg": {
        "method": {**_STUDENT, "transform": ["none"]},
        "optimization": {"class_weights": [0.2, 0.2, 0.8]},
    },
    # FedDG: amplitudes of other centers' patches, on pooled data.
    "feddg": {"method": {**_STUDENT, "transform": ["amplitude_mix"]}},
    # CMDG: two views by random networks that must agree; its public training weighs that by 10.
    "cmdg": {"method": {**_STUDENT, "transform": ["gin_ipa"], "consistency_weight": 10.0}},
}
