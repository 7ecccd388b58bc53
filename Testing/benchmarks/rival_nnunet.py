"""nnU-Net's own predictor with an untrained network, timed for ``inference.py``.

Needs nnunetv2 and nothing of this project, so that it may run in another environment. From the
scan to labels on its grid, with the public class ``nnUNetPredictor``: its preprocessing, windows
of 128^3 with an overlap of one half and Gaussian weights, and its way back. The network is that
of its default plan: a U-Net of 6 stages from 32 to 320 features. Mirroring, which nnU-Net turns on
by default and which takes eight times the work, is off.

    python rival_nnunet.py FOLDER --spacing MM --threads N
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from peak import measured

FEATURES = [32, 64, 128, 256, 320, 320]
RESAMPLING = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}


def plans(spacing_mm: float, size: tuple[int, ...]) -> dict[str, Any]:
    stages = len(FEATURES)
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": FEATURES,
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3]] * stages,
            "strides": [[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
            "n_conv_per_stage": [2] * stages,
            "n_conv_per_stage_decoder": [2] * (stages - 1),
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {
        "data_identifier": "benchmark",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [128] * 3,
        "median_image_size_in_voxels": list(size),
        "spacing": [spacing_mm] * 3,
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": RESAMPLING,
        "resampling_fn_seg_kwargs": {**RESAMPLING, "is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**RESAMPLING, "order": 1},
        "architecture": architecture,
    }
    return {
        "dataset_name": "benchmark",
        "plans_name": "nnUNetPlans",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "image_reader_writer": "SimpleITKIO",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {}},
        "configurations": {"3d_fullres": configuration},
    }


def predictor(spacing_mm: float, size: tuple[int, ...]) -> Any:
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(plans(spacing_mm, size))
    configuration = manager.get_configuration("3d_fullres")
    network = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        3,
        deep_supervision=False,
    )
    labels = {
        "channel_names": {"0": "angiography"},
        "labels": {"background": 0, "vessel": 1, "aneurysm": 2},
        "file_ending": ".nrrd",
    }
    made = nnUNetPredictor(
        use_mirroring=False,
        perform_everything_on_device=False,
        device=torch.device("cpu"),
        allow_tqdm=False,
    )
    made.manual_initialization(
        network, manager, configuration, [network.state_dict()], labels, "nnUNetTrainer", None
    )
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="with scan.npy and scan.json (its spacing)")
    parser.add_argument("--spacing", type=float, required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    scan = np.load(arguments.folder / "scan.npy")
    spacing = json.loads((arguments.folder / "scan.json").read_text())["spacing_kji"]
    made = predictor(arguments.spacing, scan.shape)
    with measured() as values:
        labels = made.predict_single_npy_array(scan[None].astype("f4"), {"spacing": spacing})
    assert labels.shape == scan.shape
    print(json.dumps(values))


if __name__ == "__main__":
    main()
