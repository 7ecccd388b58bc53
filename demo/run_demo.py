"""The main job from end to end: a simulated 3DRA scan becomes an aneurysm segment in a scene.

``make demo`` runs this. The scan is made here (a phantom, which is no geometry that the bundled
teacher was trained on, in a simulated hospital's scanner), loaded into a real MRML scene, segmented
by the Slicer module's logic in its worker process, and saved by Slicer's storage nodes.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Only for this import: the package slicer adopts every folder of its name on the path, and there
# is one beside the harness.
sys.path.insert(0, str(ROOT / "Testing"))
import slicer_harness  # noqa: E402

sys.path.remove(str(ROOT / "Testing"))

CENTER = "D"
PHANTOM_SEED = 12  # one aneurysm, large enough to be seen
FIELD_MM = 56.0  # with the center's voxels of 0.53 mm about 106 voxels a side


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="a scan instead of simulated data"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "demo_output", metavar="FOLDER")
    parser.add_argument("--teacher", default="default", help="default, or a teacher file")
    parser.add_argument("--model", default="auto", help="auto, cone_beam or light")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    say("Starting Slicer's core")
    missing = slicer_harness.missing_libraries()
    try:
        slicer_harness.boot(with_widgets=not missing)
    except ImportError as error:  # not even Qt's core: without it there is no worker process
        print(f"error: {error}; run\n  {slicer_harness.INSTALL_COMMAND}", file=sys.stderr)
        return 1
    if options.input is None:
        volume_node = load_simulated_scan(options.output / "case.nrrd", options.model)
    else:
        volume_node = load_scan(options.input, options.output / "case.nrrd")
    logic, segmentation_node = segment(volume_node, options.teacher)
    files = save(options.output, volume_node, segmentation_node, logic)
    if options.input is None:
        files += send_back(options.output, volume_node, segmentation_node, logic)
    if missing:
        print(
            f"The picture is left out: {', '.join(missing)} cannot be loaded. To have it, run\n"
            f"  {slicer_harness.INSTALL_COMMAND}"
        )
    else:
        say("Rendering the picture")
        from picture import render_case

        files.append(options.output / "case.png")
        note = (
            f"{'' if options.input else 'Simulated data. '}For research use; not a medical device."
        )
        render_case(volume_node, segmentation_node, logic.aneurysms, files[-1], note)
    say(f"Done in {time.perf_counter() - started:.0f} s")
    print(*(f"  {path}" for path in files), sep="\n")
    return 0


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def load_simulated_scan(path: Path, model: Any) -> Any:
    """Make the scan as a DICOM series, write what is read of it, and load that as Slicer does."""
    say(f"Simulating a rotational angiography (phantom {PHANTOM_SEED} at hospital {CENTER})")
    from dicom_series import write_series

    from gsema_core.files import read_volume, write_volume
    from gsema_core.simulation.acquisition import acquire
    from gsema_core.simulation.centers import CENTERS
    from gsema_core.simulation.phantom import make_phantom

    phantom = make_phantom(PHANTOM_SEED, size_mm=FIELD_MM)
    image, _ = acquire(phantom, CENTERS[CENTER], seed=PHANTOM_SEED, model=model)
    write_series(image, path.parent / "dicom")
    write_volume(read_volume(path.parent / "dicom"), path)
    return load_scan(path, path)


def load_scan(source: Path, path: Path) -> Any:
    """Load a scan as Slicer does; ``path`` is where the scene has its copy."""
    import slicer.util

    volume_node = slicer.util.loadVolume(str(source), {"name": "case"})
    if source != path and not slicer.util.saveNode(volume_node, str(path)):
        raise RuntimeError(f"{path} could not be written.")
    size = " x ".join(str(count) for count in volume_node.GetImageData().GetDimensions())
    print(f"    {size} voxels of {volume_node.GetSpacing()[0]:.2f} mm")
    return volume_node


def segment(volume_node: Any, teacher: str) -> tuple[Any, Any]:
    """Run the Slicer module's logic; returns it with the segmentation node."""
    say("Segmenting with the Slicer module's logic in its worker process")
    from slicer_harness.loader import load_module

    module = load_module(ROOT / "GSEMASegmentation" / "GSEMASegmentation.py")
    logic = module.GSEMASegmentationLogic()
    try:
        node = logic.segment(volume_node, teacher=teacher, onProgress=Progress())
    finally:
        logic.stop()
    teacher_name = logic.report["teacher"]["name"]
    print(f"    teacher: {teacher_name}, device: {logic.report['device']['name']}")
    for aneurysm in logic.aneurysms:
        position = ", ".join(f"{value:.1f}" for value in aneurysm.ras)
        print(
            f"    aneurysm {aneurysm.index}: {1000 * aneurysm.volumeMl:.1f} mm³, "
            f"{aneurysm.largestDiameterMm:.1f} mm, at R, A, S = {position} mm"
        )
    if not logic.aneurysms:
        print("    no aneurysm was found")
    return logic, node


class Progress:
    """Prints each phase once, and on a terminal the percentage as it grows."""

    def __init__(self) -> None:
        self._phase = ""

    def __call__(self, fraction: float, phase: str) -> None:
        if sys.stdout.isatty():
            print(
                f"\r    {fraction:4.0%} {phase:<40}", end="\n" if fraction >= 1 else "", flush=True
            )
        elif phase != self._phase:
            print(f"    {fraction:4.0%} {phase}", flush=True)
        self._phase = phase


def save(folder: Path, volume_node: Any, segmentation_node: Any, logic: Any) -> list[Path]:
    """Write segmentation, table and scene; returns all files' paths, the volume's first."""
    say("Saving with Slicer's storage nodes")
    import slicer.util

    from gsema_core.measurements import write_aneurysms_csv

    files = [folder / name for name in ("case.nrrd", "case.seg.nrrd", "aneurysms.csv", "case.mrb")]
    write_aneurysms_csv(measured(logic), files[2])
    if not slicer.util.saveNode(segmentation_node, str(files[1])):
        raise RuntimeError(f"{files[1]} could not be written.")
    if not slicer.util.saveScene(str(files[3])):
        raise RuntimeError(f"{files[3]} could not be written.")
    return files


def send_back(folder: Path, volume_node: Any, segmentation_node: Any, logic: Any) -> list[Path]:
    """Write the scene's segments as DICOM SEG and SR of the series that the scan was."""
    say("Writing a DICOM SEG and SR for the study")
    import slicer.util
    from dicom_series import write_segmentation

    segments = segmentation_node.GetSegmentation().GetSegmentIDs()
    masks = {
        name: slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, name, volume_node)
        for name in segments
    }
    return write_segmentation(folder, masks, logic.report, measured(logic))


def measured(logic: Any) -> list[Any]:
    """The aneurysms of the last run."""
    from gsema_core.measurements import Aneurysm

    names = [field.name for field in fields(Aneurysm)]
    rows = [{name: row[name] for name in names} for row in logic.report["aneurysms"]]
    return [Aneurysm(**row) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
