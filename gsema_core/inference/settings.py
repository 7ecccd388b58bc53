"""What a user may choose about a segmentation. No torch here: it is checked before anything."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gsema_core.configuration import check, plain, setting, settings_of
from gsema_core.errors import UserError

FINDS = "what counts as a finding"
"""Heading of the settings that decide what is kept."""
COST = "time and memory"
"""Heading of the settings that decide what a run costs."""


@dataclass(frozen=True)
class SegmentationSettings:
    """Every setting of a segmentation; checked when made.

    Each setting is stated only here. The command line's options, the worker's requests, the
    report, the panel's rows and docs/reference/settings.md are made from these fields.

    Raises:
        UserError: a value is not of its type or out of its range.
    """

    minimum_aneurysm_mm3: float = setting(
        4.0,
        "Smaller aneurysms are taken for noise.",
        title="Smallest aneurysm",
        unit="mm3",
        low=0,
        high=1e6,
        source="ours: a sphere 2 mm across has 4.2 mm3",
        option="minimum-aneurysm",
        step=1,
        group=FINDS,
        whole_scan=True,
    )
    minimum_vessel_mm3: float = setting(
        10.0,
        "Smaller pieces of vessel are taken for noise.",
        title="Smallest vessel",
        unit="mm3",
        low=0,
        high=1e6,
        source="ours: 5 mm of a vessel 1.6 mm wide",
        option="minimum-vessel",
        step=5,
        group=FINDS,
        whole_scan=True,
    )
    minimum_certainty: float = setting(
        0.7,
        "An aneurysm with a lower mean probability is taken for vessel; 0 keeps all. It is ignored "
        "if a threshold is given.",
        title="Smallest certainty",
        low=0,
        high=1,
        source="chosen for the bundled teacher on patients kept out of its training "
        "(docs/explanation/teacher_notebook.md)",
        option="certainty",
        step=0.05,
        group=FINDS,
        whole_scan=True,
    )
    aneurysm_threshold: float | None = setting(
        None,
        "A voxel is aneurysm from this probability on. If it is not set, the likeliest class wins "
        "in a whole scan, as the network was trained; at a click, the threshold is then half of "
        "the highest probability there.",
        title="Aneurysm threshold",
        low=0.01,
        high=0.99,
        option="threshold",
        step=0.05,
        none="automatic",
        group=FINDS,
    )
    walls_by_scan: bool = setting(
        True,
        "Draw walls by the scan's own voxels, not by the model alone. It is ignored if a threshold "
        "is given.",
        title="Draw walls by the scan",
        source="docs/explanation/teacher_notebook.md",
        option="walls",
        group=FINDS,
    )
    refuse_implausible: bool = setting(
        True,
        "Refuse a scan that looks like no angiography, such as noise or a run without contrast "
        "agent. If it is off, there is a result, and the report says what is wrong.",
        title="Refuse what is no angiography",
        source="docs/explanation/appearance.md",
        option="refuse",
        group=FINDS,
        decides=False,
    )
    overlap: float = setting(
        0.5,
        "Share of a window that its neighbor covers too.",
        title="Overlap of windows",
        low=0,
        high=0.9,  # ten windows a step along each axis: nobody means more
        source="nnU-Net (Isensee et al., Nature Methods 2021)",
        step=0.05,
        group=COST,
        whole_scan=True,
    )
    skip_empty: bool = setting(
        True,
        "Leave out windows in which nothing is bright, which is faster; turn it off if a faint "
        "vessel was missed.",
        title="Skip regions without vessels",
        source="docs/explanation/performance.md",
        option="skip",
        group=COST,
        whole_scan=True,
    )
    precision: str = setting(
        "auto",
        "Number format of the network; auto takes bf16 where the device has it in hardware.",
        choices=("auto", "fp32", "bf16"),
        source="docs/explanation/performance.md",
        group=COST,
    )
    memory_limit_gb: float | None = setting(
        None,
        "Refuse a scan that would need more main memory, program included (GB of 10^9 bytes).",
        title="Memory limit",
        unit="GB",
        low=0.5,
        high=4096,
        option="memory-limit",
        step=1,
        none="no limit",
        group=COST,
        whole_scan=True,
        decides=False,
    )
    threads: int | None = setting(
        None,
        "Processor threads; automatic is one for each core that the program may use.",
        title="CPU threads",
        low=1,
        high=1024,
        step=1,
        none="automatic",
        group=COST,
        decides=False,
    )
    probabilities: bool = setting(False, decides=False)
    """Whether the aneurysm's probability is wanted too; naming a file for it sets this."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def draws_walls(self) -> bool:
        """Whether walls are drawn by the scan's voxels; not if a threshold was given."""
        return self.walls_by_scan and self.aneurysm_threshold is None

    @property
    def deciding(self) -> dict[str, Any]:
        """The settings that the labels depend on."""
        values = self.to_dict()
        return {one.name: values[one.name] for one in settings_of(type(self)) if one.decides}

    def to_dict(self) -> dict[str, Any]:
        values: dict[str, Any] = plain(self)
        return values


def check_for_click(given: Collection[str]) -> None:
    """Refuse settings that a click would leave without effect.

    Args:
        given: the names of the settings that were chosen.

    Raises:
        UserError: one of them is for whole scans.
    """
    for one in settings_of(SegmentationSettings):
        if one.whole_scan and one.name in given:
            raise UserError(
                f"Setting {one.name} is for whole scans: leave it out where a point is given."
            )
