from __future__ import annotations

import copy
import math
from types import SimpleNamespace

import pytest
import torch

from gsema_core.datasets.patches import PatchPair
from gsema_core.losses import consistency_loss
from gsema_core.networks import build_network
from gsema_core.training.trainer import Trainer


def make_pair(seed: int = 0) -> PatchPair:
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 1, 32, 32, 32, generator=generator)
    labels = (image > 0.9).to(torch.uint8) + (image > 0.97).to(torch.uint8)
    return PatchPair(image, labels, image**2, labels)


@pytest.fixture
def make_trainer(make_config):
    def make(preset: str = "paper", **sections):
        torch.manual_seed(0)
        config = make_config(preset, **sections)
        return Trainer(config, build_network(config.network), torch.device("cpu"))

    return make


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()]).clone()


@pytest.mark.parametrize(("has_it", "expected"), [(True, "bf16"), (False, "fp32")])
def test_precision_is_the_devices_own_unless_it_is_named(
    make_trainer, monkeypatch, has_it, expected
):
    """A CPU without bf16 emulates it, at twenty times the time of float32."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_it, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    trainer = make_trainer(run={"precision": "auto"})
    assert trainer.computing.precision == expected
    with trainer.computing.autocast():
        assert torch.is_autocast_enabled("cpu") == has_it
    assert make_trainer(run={"precision": "bf16"}).computing.precision == "bf16"


def test_teacher_starts_as_the_student(make_trainer):
    trainer = make_trainer()
    assert torch.equal(weights(trainer.teacher), weights(trainer.student))
    assert not any(each.requires_grad for each in trainer.teacher.parameters())


def test_open_gate_moves_the_teacher_part_of_the_way(make_trainer):
    trainer = make_trainer(method={"alpha_warmup": False})
    before = weights(trainer.teacher)
    record = trainer.train_step([make_pair()])
    assert record.gate_open and record.alpha == 0.9
    expected = 0.9 * before + 0.1 * weights(trainer.student)
    torch.testing.assert_close(weights(trainer.teacher), expected)


def test_closed_gate_leaves_the_teacher_bit_identical(make_trainer):
    trainer = make_trainer("algorithm1")  # closed where gradients agree, as they do here
    before = weights(trainer.teacher)
    record = trainer.train_step([make_pair()])
    assert record.gate_open and record.alpha == 1.0
    assert torch.equal(weights(trainer.teacher), before)
    assert not torch.equal(weights(trainer.student), before)
    assert trainer.ema_updates == 0


@pytest.mark.parametrize("unit", ["layer", "weight"])
def test_parts_of_the_teacher_follow_where_their_gradients_agree(make_trainer, unit):
    trainer = make_trainer(method={"alpha_warmup": False, "gate_unit": unit})
    plain = make_trainer(method={"alpha_warmup": False})
    before = weights(trainer.teacher)
    seen = {}
    decide = trainer.gate.decide
    trainer.gate = SimpleNamespace(decide=lambda *pair: seen.setdefault("decision", decide(*pair)))
    record = trainer.train_step([conflicting_pair()])
    assert plain.train_step([conflicting_pair()]).similarity == record.similarity
    assert torch.equal(weights(trainer.student), weights(plain.student))  # it moves as ever
    here = seen["decision"].open_weights
    assert 0 < record.gate_open < 1 and record.gate_open == pytest.approx(
        float(here.float().mean())
    )
    assert record.alpha == pytest.approx(1 - 0.1 * record.gate_open)
    after = weights(trainer.teacher)
    assert torch.equal(after[~here], before[~here])
    torch.testing.assert_close(
        after[here], 0.9 * before[here] + 0.1 * weights(trainer.student)[here]
    )


@pytest.mark.parametrize("kind", ["network", "layer", "weight"])
def test_projection_changes_the_step_and_not_the_gate(make_trainer, kind):
    plain = make_trainer("no_ema")
    trainer = make_trainer("no_ema", method={"conflict_projection": kind})
    expected, record = (
        plain.train_step([conflicting_pair()]),
        trainer.train_step([conflicting_pair()]),
    )
    assert record.similarity == expected.similarity < 0 and record.gate_open == 0
    assert 0 < record.gradient_norm != expected.gradient_norm


def test_no_ema_makes_the_teacher_the_student(make_trainer):
    trainer = make_trainer("no_ema")
    trainer.train_step([make_pair()])
    torch.testing.assert_close(weights(trainer.teacher), weights(trainer.student))


def test_a_step_that_is_not_finite_is_skipped_and_counted(make_trainer):
    trainer = make_trainer()
    trainer.train_step([make_pair()])
    student, teacher = weights(trainer.student), weights(trainer.teacher)
    poisoned = make_pair(1)
    poisoned.target_image[0, 0, 0, 0, 0] = float("nan")
    record = trainer.train_step([poisoned])
    assert record.skipped and trainer.skipped_steps == 1 and trainer.step == 2
    assert torch.equal(weights(trainer.student), student)
    assert torch.equal(weights(trainer.teacher), teacher)
    assert not trainer.train_step([make_pair(2)]).skipped


def test_accumulation_is_one_step_with_the_mean_gradient(make_trainer):
    once, twice = make_trainer(), make_trainer()
    once.train_step([make_pair()])
    record = twice.train_step([make_pair(), make_pair()])
    assert twice.step == 1 and record.loss_source > 0
    torch.testing.assert_close(weights(twice.student), weights(once.student), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("preset", ["paper", "code", "cmdg"])
def test_gate_of_the_decoder_leaves_the_students_step_as_it_is(make_trainer, preset):
    """With weights, warm-up, accumulated batches and a limit to the gradient's length."""
    limit = {"optimization": {"clip_norm": 0.01}}
    exact = make_trainer(preset, **limit)
    once = make_trainer(preset, method={"gate_scope": "decoder"}, **limit)
    for seed in range(2):
        batches = [make_pair(seed), make_pair(seed + 10)]
        expected, record = exact.train_step(batches), once.train_step(batches)
        torch.testing.assert_close(once.rows.source, exact.rows.source, atol=1e-6, rtol=1e-4)
        assert record.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-4)
        assert record.loss_contrast == pytest.approx(expected.loss_contrast, rel=1e-4)
        assert record.similarity != expected.similarity
    torch.testing.assert_close(weights(once.student), weights(exact.student), atol=1e-5, rtol=1e-4)


def test_gate_of_the_decoder_decides_by_the_decoder(make_trainer):
    """Agreement of the encoder's gradients does not count, nor does their length."""
    trainer = make_trainer(method={"gate_scope": "decoder"})
    seen = []
    decide = trainer.gate.decide
    trainer.gate = SimpleNamespace(decide=lambda *rows: seen.append(rows) or decide(*rows))
    assert trainer.train_step([make_pair()]).gate_open
    assert not trainer.train_step([conflicting_pair()]).gate_open
    names = [name for name, _ in trainer.student.named_parameters()]
    sizes = [each.numel() for each in trainer.student.parameters()]
    for name, part in zip(names, seen[1][1].split(sizes), strict=True):
        of_decoder = name.startswith(("head", "body.net.up"))
        assert bool(part.any()) == of_decoder, name


def test_gate_of_the_decoder_skips_a_step_whose_encoder_overflows(make_trainer):
    """The decoder's gradients, which the gate sees, are finite."""
    trainer = make_trainer(method={"gate_scope": "decoder"})
    student, teacher = weights(trainer.student), weights(trainer.teacher)
    parameter = next(trainer.student.parameters())
    handle = parameter.register_hook(lambda gradient: gradient * float("inf"))
    record = trainer.train_step([make_pair()])
    assert record.skipped and math.isfinite(record.similarity) and record.alpha == 1.0
    assert torch.equal(weights(trainer.student), student)
    assert torch.equal(weights(trainer.teacher), teacher)
    handle.remove()
    assert not trainer.train_step([make_pair()]).skipped


def test_long_gradients_are_clipped(make_trainer):
    free = make_trainer(optimization={"clip_norm": 0.0})
    clipped = make_trainer(optimization={"clip_norm": 1e-3})
    norm = free.train_step([make_pair()]).gradient_norm
    clipped.train_step([make_pair()])
    assert norm > 1e-3
    assert float(torch.linalg.vector_norm(free.rows.source)) == pytest.approx(norm, rel=1e-4)
    assert float(torch.linalg.vector_norm(clipped.rows.source)) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize(("volume", "boundary"), [(True, False), (False, True), (False, False)])
def test_contrast_terms_can_be_switched_off(make_trainer, volume, boundary):
    method = {"volume_contrast": volume, "boundary_contrast": boundary}
    record = make_trainer(method=method).train_step([make_pair()])
    assert (record.loss_contrast > 0) == (volume or boundary)


def test_student_and_teacher_share_no_memory(make_trainer):
    trainer = make_trainer()
    teacher = copy.deepcopy(trainer.teacher.state_dict())
    with torch.no_grad():
        next(trainer.student.parameters()).add_(1.0)
    assert all(torch.equal(trainer.teacher.state_dict()[name], teacher[name]) for name in teacher)


def test_plain_supervised_training_runs_one_stream(make_trainer, monkeypatch):
    """Same patches twice give the same gradient twice: half the work, the same step."""
    plain = {"volume_contrast": False, "boundary_contrast": False, "alpha_aligned": 0.0}
    pair = make_pair()
    pair = PatchPair(pair.source_image, pair.source_labels, pair.source_image, pair.source_labels)
    two = make_trainer(method=plain)
    one = make_trainer(method={**plain, "transform": ["none"]})
    assert one.one_stream and not two.one_stream
    expected = two.train_step([pair])
    images = []
    encode = one.student.encode
    monkeypatch.setattr(one.student, "encode", lambda x: images.append(x) or encode(x))
    record = one.train_step([pair])
    assert len(images) == 1
    assert record.similarity == pytest.approx(1.0, abs=1e-6) and record.alpha == 0.0
    assert record.loss_source == record.loss_target == pytest.approx(expected.loss_source)
    torch.testing.assert_close(weights(one.student), weights(two.student), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", [{"boundary_contrast": True}, {"consistency_weight": 1.0}])
def test_two_streams_where_they_are_compared(make_trainer, method):
    plain = {"volume_contrast": False, "boundary_contrast": False, "transform": ["none"]}
    assert not make_trainer(method={**plain, **method}).one_stream


def test_consistency_joins_the_step(make_trainer):
    """It is logged with its weight, and it turns the student's step."""
    method = {"volume_contrast": False, "boundary_contrast": False}
    plain, agreeing = (
        make_trainer(method={**method, "consistency_weight": weight}) for weight in (0.0, 10.0)
    )
    pair = make_pair()
    with torch.no_grad():
        views = [plain.student(each) for each in (pair.source_image, pair.target_image)]
    record = agreeing.train_step([pair])
    assert plain.train_step([pair]).loss_consistency == 0.0
    assert record.loss_consistency == pytest.approx(10 * float(consistency_loss(*views)), rel=1e-3)
    assert not torch.allclose(weights(agreeing.student), weights(plain.student), atol=1e-4)


def test_a_step_that_ran_out_of_memory_can_be_repeated(make_trainer, monkeypatch):
    """In the second batch's second stream: gradients and losses of it are half there."""
    whole, failed = make_trainer(), make_trainer()
    for trainer in (whole, failed):
        trainer.train_step([make_pair(5)])
    student, teacher = weights(failed.student), weights(failed.teacher)
    loss, calls = failed.segmentation_loss, []

    def full(logits, labels):
        calls.append(1)
        if len(calls) == 4:
            raise torch.OutOfMemoryError("injected")
        return loss(logits, labels)

    monkeypatch.setattr(failed, "segmentation_loss", full)
    with pytest.raises(torch.OutOfMemoryError):
        failed.train_step([make_pair(), make_pair(1)])
    assert torch.equal(weights(failed.student), student)
    assert torch.equal(weights(failed.teacher), teacher)
    assert (failed.step, failed.scheduler.last_epoch, failed.ema_updates) == (1, 1, 1)
    monkeypatch.setattr(failed, "segmentation_loss", loss)
    batches = [make_pair(), make_pair(1)]
    assert failed.train_step(batches) == whole.train_step(batches)
    assert torch.equal(weights(failed.teacher), weights(whole.teacher))


def test_smoothing_of_dice_reaches_the_loss(make_trainer):
    records = [
        make_trainer(optimization={"dice_smoothing": smoothing}).train_step([make_pair()])
        for smoothing in (1e-5, 1e4)
    ]
    # So many voxels more above and below the fraction bring every class's Dice near 1.
    assert records[1].loss_source < records[0].loss_source - 0.3


def conflicting_pair() -> PatchPair:
    """The same patch whose target's labels contradict the source's: the gradients are opposed."""
    pair = make_pair()
    image, labels = pair.source_image, pair.source_labels
    return PatchPair(image, labels, image, 2 - labels)


@pytest.mark.parametrize(
    ("preset", "aligned", "conflict"),
    [
        ("paper", 0.9, 1.0),
        ("paper_soft", 0.9, 0.9999),
        ("code", 0.9, 0.999),
        ("mean_teacher", 0.999, 0.999),
        ("algorithm1", 1.0, 0.9),
        ("no_ema", 0.0, 0.0),
        ("feddg", 0.0, 0.0),
        ("cmdg", 0.0, 0.0),
    ],
)
def test_every_preset_moves_the_teacher_as_it_says(make_trainer, preset, aligned, conflict):
    trainer = make_trainer(preset, method={"alpha_warmup": False})
    steps = ((make_pair(), True, aligned), (conflicting_pair(), False, conflict))
    for pair, is_open, alpha in steps:
        before = weights(trainer.teacher)
        record = trainer.train_step([pair])
        assert record.gate_open == (record.similarity > 0) == is_open
        assert record.alpha == alpha
        expected = alpha * before + (1 - alpha) * weights(trainer.student)
        torch.testing.assert_close(weights(trainer.teacher), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("preset", "aligned", "conflict"),
    [
        ("paper", 0.9, 1.0),
        ("paper_soft", 0.9, 0.9999),  # not 0.99, as the warm-up has it after 100 updates
        ("code", 0.9, 0.99),  # both, as the published program has it
        ("mean_teacher", 0.99, 0.99),  # one coefficient for all steps
        ("algorithm1", 1.0, 0.9),
    ],
)
def test_warm_up_opens_no_gate_that_is_nearly_closed(make_trainer, preset, aligned, conflict):
    for pair, expected in ((make_pair(), aligned), (conflicting_pair(), conflict)):
        trainer = make_trainer(preset)
        trainer.ema_updates = 99
        assert trainer.train_step([pair]).alpha == pytest.approx(expected, abs=1e-12)


def test_the_first_steps_follow_closely_where_the_teacher_is_meant_to_follow(make_trainer):
    assert make_trainer("paper").train_step([make_pair()]).alpha == 0.0
    assert make_trainer("paper_soft").train_step([conflicting_pair()]).alpha == 0.9999
    assert make_trainer("algorithm1").train_step([conflicting_pair()]).alpha == 0.0


def test_no_warm_up_where_the_run_starts_from_a_teacher(make_trainer):
    for preset in ("paper", "code"):
        trainer = make_trainer(preset, run={"initial_teacher": "default"})
        before = weights(trainer.teacher)
        assert trainer.train_step([make_pair()]).alpha == 0.9
        expected = 0.9 * before + 0.1 * weights(trainer.student)
        torch.testing.assert_close(weights(trainer.teacher), expected, atol=1e-6, rtol=1e-5)


def test_the_supervised_preset_runs_one_stream(make_trainer):
    trainer = make_trainer("vaseg")
    assert trainer.one_stream
    trainer.train_step([make_pair()])
    torch.testing.assert_close(weights(trainer.teacher), weights(trainer.student))


def test_losses_have_the_weights_of_equation_6(make_trainer):
    def norm(**method) -> float:
        trainer = make_trainer(method=method, optimization={"clip_norm": 0.0})
        return trainer.train_step([make_pair()]).gradient_norm

    supervised = norm(supervised_weight=1.0, contrastive_weight=0.0)
    contrast = norm(supervised_weight=0.0, contrastive_weight=1.0)
    assert supervised > 0 and contrast > 0
    quarter = norm(supervised_weight=0.25, contrastive_weight=0.0)
    assert quarter == pytest.approx(supervised / 4, rel=1e-4)
    half = norm(supervised_weight=0.0, contrastive_weight=0.5)
    assert half == pytest.approx(contrast / 2, rel=1e-4)
    both = norm(supervised_weight=0.25, contrastive_weight=0.5)
    assert abs(supervised / 4 - contrast / 2) <= both <= supervised / 4 + contrast / 2
