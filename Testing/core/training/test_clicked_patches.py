"""Clicks in training: where they are made, how they move, and that steps see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gsema_core.datasets.patches import PatchPair
from gsema_core.errors import UserError
from gsema_core.labels import ANEURYSM, IGNORE
from gsema_core.networks import build_network
from gsema_core.teachers import load_teacher
from gsema_core.training import train
from gsema_core.training.checkpoint import Progress
from gsema_core.training.clicked_patches import ClickedPatches
from gsema_core.training.loop import Loop
from gsema_core.training.metrics_table import read_metrics
from gsema_core.training.trainer import Trainer

CLICKS = {"click_width_mm": 2.0}
ALWAYS = {"click_share": 1.0, "further_clicks": 0}
SAC, ERROR = (slice(4, 9), slice(4, 9), slice(4, 9)), (slice(10, 15), slice(10, 15), slice(2, 7))


def batch(size: int = 1, *, sac: bool = True, origin: Tensor | None = None) -> PatchPair:
    image = torch.rand(size, 1, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    labels = torch.ones(size, 1, 16, 16, 16, dtype=torch.uint8)
    if sac:
        labels[(..., *SAC)] = ANEURYSM
    return PatchPair(image, labels, image**2, labels, origin)


def answer_of(*boxes: tuple[slice, ...]) -> Any:
    """A teacher that sees these boxes, whatever is clicked."""

    def answer(image: Tensor) -> np.ndarray:
        seen = np.zeros((len(image), *image.shape[2:]), bool)
        for box in boxes:
            seen[(..., *box)] = True
        return seen

    return answer


def places(image: Tensor) -> list[list[tuple[int, ...]]]:
    """The peaks inside and outside, of the first sample."""
    return [
        list(map(tuple, np.argwhere(image[0, which].numpy() == 1).tolist())) for which in (1, 2)
    ]


@pytest.fixture
def make_clicks(make_tiny: Any) -> Any:
    def make(**method: Any) -> ClickedPatches:
        return ClickedPatches(make_tiny(network=CLICKS, method={**ALWAYS, **method}))

    return make


def test_a_share_is_clicked_in_its_aneurysm(make_clicks: Any) -> None:
    clicks = make_clicks(click_share=0.5, click_kinds=["anywhere"])
    made = [clicks.add(batch(), answer_of(), number).source_image for number in range(200)]
    clicked = [image for image in made if image.shape[1] == 3]
    assert 75 < len(clicked) < 125
    assert torch.equal(clicked[0][:, :1], batch().source_image)
    where = {places(image)[0][0] for image in clicked}
    assert len(where) > 30
    assert all(4 <= n <= 8 for place in where for n in place)
    assert not any(image[:, 2].any() for image in clicked)
    assert torch.equal(clicks.add(batch(), answer_of(), 3).source_image, made[3])


def test_further_clicks_are_where_the_teacher_errs_most(make_clicks: Any) -> None:
    clicks = make_clicks(further_clicks=1, further_click_share=1.0, click_kinds=["middle"])
    pair = clicks.add(batch(), answer_of(SAC, ERROR), 0)
    assert places(pair.source_image) == [[(6, 6, 6)], [(12, 12, 4)]]
    assert torch.equal(pair.source_image[:, 1:], pair.target_image[:, 1:])
    assert torch.equal(pair.target_image[:, :1], batch().target_image)
    half = (slice(4, 9), slice(4, 9), slice(4, 6))
    assert places(clicks.add(batch(), answer_of(half), 0).source_image)[0][-1] != (6, 6, 6)
    assert places(clicks.add(batch(), answer_of(SAC), 0).source_image) == [[(6, 6, 6)], []]
    seen = []
    clicks = make_clicks(further_clicks=3, further_click_share=1.0, click_kinds=["middle"])
    clicks.add(batch(2), lambda image: seen.append(image) or answer_of(SAC, ERROR)(image), 0)
    assert [image.shape for image in seen] == [(2, 3, 16, 16, 16)] * 3
    assert not seen[0][:, 2].any()
    assert seen[1][:, 2].amax() == 1


def test_how_many_further_clicks_there_are_falls_to_the_most(make_clicks: Any) -> None:
    clicks = make_clicks(further_clicks=2, further_click_share=0.5)
    asked = []
    for number in range(200):
        clicks.add(batch(), lambda image: asked.append(1) or answer_of(SAC, ERROR)(image), number)
    assert 120 < len(asked) < 180  # 1/2 + 1/4 of 200


def test_without_an_aneurysm_only_false_ones_are_clicked(make_clicks: Any) -> None:
    clicks = make_clicks()
    found = clicks.add(batch(sac=False), answer_of(ERROR), 0)
    assert places(found.source_image) == [[], [(12, 12, 4)]]
    assert clicks.add(batch(sac=False), answer_of(), 0).source_image.shape[1] == 1


def test_nothing_that_nobody_labeled_is_clicked(make_clicks: Any) -> None:
    pair = batch(sac=False)
    pair.source_labels[:, :, 9:] = IGNORE
    assert make_clicks().add(pair, answer_of(ERROR), 0).source_image.shape[1] == 1


def test_clicks_move_with_the_voxels(make_clicks: Any) -> None:
    """A flip, and a shift that takes the sac out of the patch."""
    index = torch.arange(16**3, dtype=torch.int32).view(1, 1, 16, 16, 16)
    clicks = make_clicks(click_kinds=["middle"])
    flipped = clicks.add(batch(origin=index.flip(2)), answer_of(), 0)
    assert places(flipped.source_image)[0] == [(6, 6, 6)]
    assert places(flipped.target_image)[0] == [(9, 6, 6)]
    assert flipped.origin is None
    left_out = index.clone()
    left_out[index == 6 * 256 + 6 * 16 + 6] = 0
    assert np.linalg.norm(np.subtract(
        places(clicks.add(batch(origin=left_out), answer_of(), 0).target_image)[0][0], (6, 6, 6)
    )) == 1  # fmt: skip
    gone = clicks.add(batch(origin=torch.full_like(index, 16**3 - 1)), answer_of(), 0)
    assert places(gone.target_image) == [[], []]
    assert gone.target_image.shape[1] == 3


def test_ranks_click_what_one_would(make_clicks: Any) -> None:
    clicks = make_clicks(further_clicks=2)
    whole = clicks.add(batch(4), answer_of(ERROR), 5).source_image
    pair = batch(4)
    for first in (0, 2):
        own = PatchPair(*(each[first : first + 2] for each in pair[:4]))
        part = clicks.add(own, answer_of(ERROR), 5, first).source_image
        assert torch.equal(part, whole[first : first + 2])


@pytest.mark.parametrize(
    ("preset", "method"),
    [
        ("paper", {}),
        ("paper", {"gate_scope": "decoder"}),
        ("cmdg", {}),
        ("vaseg", {}),
    ],
)
def test_every_way_of_a_step_learns_from_clicks(
    make_tiny: Any, monkeypatch: pytest.MonkeyPatch, preset: str, method: dict[str, Any]
) -> None:
    """Student and teacher see the same clicks; a step with others ends at other weights."""
    config = make_tiny(preset, network=CLICKS, method={**ALWAYS, **method})
    torch.manual_seed(0)
    trainer = Trainer(config, build_network(config.network), torch.device("cpu"))
    images: dict[str, list[Tensor]] = {"student": [], "teacher": []}
    for name, seen in images.items():
        network = getattr(trainer, name)
        encode = network.encode
        note = lambda image, seen=seen, encode=encode: seen.append(image) or encode(image)  # noqa: E731
        monkeypatch.setattr(network, "encode", note)
    assert not trainer.train_step([batch(2), batch(2)]).skipped
    assert all(image.shape == (2, 3, 16, 16, 16) for image in images["student"])
    if trainer.contrastive_loss is not None:
        assert all(map(torch.equal, images["student"], images["teacher"]))
    first = next(weight for weight in trainer.student.body.parameters() if weight.ndim == 5)
    assert first.shape[1] == 10
    assert trainer.optimizer.state[first]["exp_avg"][:, 8:].abs().sum() > 0
    assert len(trainer.teacher_losses(batch(2))) == 2


def test_a_run_on_clicks_resumes_to_the_bit_and_scores_them(make_tiny: Any, tmp_path: Any) -> None:
    config = make_tiny(
        network=CLICKS,
        method={"click_share": 0.7},
        run={"steps": 3, "accumulate": 2, "batch_size": 2},
    )
    whole = replace(config, run=replace(config.run, output=tmp_path / "whole"))
    told: list[str] = []
    train(whole, told.append)
    looks = iter([False] * 4 + [True] * 1000)
    train(config, told.append, stop=lambda: next(looks))
    train(config, told.append)
    teachers = [load_teacher(each.run.output / "teacher.safetensors") for each in (whole, config)]
    states = [teacher.network.state_dict() for teacher in teachers]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    rows = read_metrics(config.run.output, "validation")
    assert rows == [
        {**row, "seconds": mine["seconds"]}
        for row, mine in zip(read_metrics(whole.run.output, "validation"), rows, strict=True)
    ]
    assert all(0 <= float(row["clicked_dice"]) <= 1 for row in rows)
    assert any("after a click in each" in line for line in told)
    card = teachers[0].card
    assert card.network["click_width_mm"] == 2.0
    assert card.training["clicks"]["share"] == 0.7
    assert card.training["chosen_by"].startswith("the mean of aneurysm_dice and clicked_dice on")
    best = max(rows, key=lambda row: float(row["aneurysm_dice"]) + float(row["clicked_dice"]))
    for name in ("aneurysm_dice", "clicked_dice"):
        assert card.metrics["validation"][name] == pytest.approx(float(best[name]), abs=1e-4)


def test_a_teacher_that_learned_no_click_is_never_kept(
    make_tiny: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However good its automatic score is."""
    first = train(make_tiny(run={"steps": 1}), lambda line: None)
    scores = iter([{"aneurysm_dice": 0.9, "clicked_dice": 0.9}, {"aneurysm_dice": 0.1}])
    monkeypatch.setattr(Loop, "_scores", lambda self: next(scores))
    config = make_tiny(network=CLICKS, run={"steps": 1, "initial_teacher": str(first.teacher)})
    config = replace(config, run=replace(config.run, output=tmp_path / "on"))
    assert load_teacher(train(config, lambda line: None).teacher).card.training["steps"] == 1


def test_the_mean_of_both_scores_chooses() -> None:
    progress = Progress()
    for step, (automatic, clicked, kept) in enumerate(
        [(0.5, 0.5, True), (0.4, 0.7, True), (0.6, 0.4, False), (0.5, 0.6, True)]
    ):
        assert progress.keeps(step, {"aneurysm_dice": automatic, "clicked_dice": clicked}) == kept
    assert (progress.best_step, progress.automatic_score, progress.stale) == (3, 0.5, 2)


def test_a_teacher_without_clicks_is_grown_and_answers_as_before(
    make_tiny: Any, tmp_path: Any
) -> None:
    first = train(make_tiny(run={"steps": 1}), lambda line: None)
    run = {"steps": 1, "initial_teacher": str(first.teacher), "output": tmp_path / "on"}
    config = make_tiny(network=CLICKS, run=run, optimization={"learning_rate": 0.0})
    config = replace(config, run=replace(config.run, output=tmp_path / "on"))
    again = train(config, lambda line: None)
    old, new = (load_teacher(each.teacher).network for each in (first, again))
    image = torch.rand(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(old(image), new(image))
    rows = read_metrics(tmp_path / "on", "validation")
    scores = [read_metrics(tmp_path / "run", "validation")[-1], rows[0]]
    assert [row["step"] for row in rows] == ["0", "1"]
    assert "clicked_dice" not in scores[0]
    assert scores[1]["aneurysm_dice"] == scores[0]["aneurysm_dice"]
    back = make_tiny(run={"initial_teacher": str(again.teacher)})
    with pytest.raises(UserError, match="has another network than the configuration"):
        train(replace(back, run=replace(back.run, output=tmp_path / "back")), lambda line: None)


def test_clicks_of_no_kind_are_refused(make_tiny: Any) -> None:
    with pytest.raises(UserError, match=r"click_kinds in .method. is empty"):
        make_tiny(network=CLICKS, method={"click_kinds": []})
    with pytest.raises(UserError, match=r"click_kinds in .method. is .*center"):
        make_tiny(method={"click_kinds": ["center"]})
