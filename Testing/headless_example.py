"""The whole way in the real application, without a window:

    Slicer --no-main-window --testing --python-script Testing/headless_example.py [FOLDER]

Makes the sample scan, segments it, measures, and saves segmentation, table and scene into FOLDER
(default: Slicer's temporary folder). The exit code is 0 only if all of it worked. The module must
be installed, or its folder given with --additional-module-paths; PyTorch and MONAI too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import slicer
import slicer.util


def run(folder: Path, teacher: str = "default") -> list[Path]:
    """Returns the written files.

    Args:
        folder: where they go.
        teacher: "default", the name of an imported teacher, or a teacher file.
    """
    logic = slicer.util.getModuleLogic("GSEMASegmentation")
    from GSEMASegmentationLib.measure.MeasurementTable import writeCsv
    from GSEMASegmentationLib.worker.SampleScan import makeSample

    volumeNode = makeSample()
    segmentationNode = logic.segment(volumeNode, teacher=teacher)
    tableNode = logic.measure(segmentationNode, lines=True)
    print(f"{tableNode.GetNumberOfRows()} aneurysms, on {logic.report['device']['name']}")
    files = [folder / name for name in ("case.seg.nrrd", "aneurysms.csv", "case.mrb")]
    slicer.util.saveNode(segmentationNode, str(files[0]))
    writeCsv(tableNode, files[1])
    slicer.util.saveScene(str(files[2]))
    return files


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(slicer.app.temporaryPath)
    try:
        files = run(folder)
    except Exception as error:  # without a window nobody would see it, and Slicer would stay
        print(f"error: {error}", file=sys.stderr)
        slicer.util.exit(1)
        return
    print(*files, sep="\n")
    slicer.util.exit(0 if all(path.is_file() for path in files) else 1)


if __name__ == "__main__":
    main()
