"""Which weights of a stage stay on the disk."""

from pathlib import Path

import pytest
import torch
from torch import nn

from upres.networks.compact import CompactSettings
from upres.recipes.stages import Adam, Metric, PixelStage
from upres.training.kept import Keeper, copy_file
from upres.training.state import Best, Progress
from upres.weights.checkpoint import CheckpointHeader, read_checkpoint

HEADER = CheckpointHeader(generator=CompactSettings(), scale=4, upres_version="1")


def keeper(
    folder: Path,
    *,
    best: tuple[Metric, ...] = ("psnr_y", "lpips_alex"),
    handover: str = "best",
    keep_last: int = 1,
) -> Keeper:
    stage = PixelStage.model_validate(
        {"steps": 9, "optimiser": Adam(rate=1.0), "best": best, "handover": handover}
    )
    return Keeper(folder, stage, HEADER, keep_last)


def network(value: float) -> nn.Module:
    """A network whose one weight says which one it is."""
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def weight(path: Path) -> float:
    return float(read_checkpoint(path)[1]["weight"])


def keep_all(
    keeper: Keeper, validations: list[tuple[int, float, float]]
) -> tuple[Progress, list[list[str]]]:
    """Validate at steps with a PSNR and an LPIPS; the weight kept is the step."""
    progress, better = Progress(), []
    for step, psnr, lpips in validations:
        progress = progress.model_copy(update={"step": step})
        metrics = {"psnr_y": psnr, "ssim_y": 0.5, "lpips_alex": lpips}
        progress, names = keeper.keep(network(step), progress, metrics)
        better.append(names)
    return progress, better


def test_the_best_is_replaced_only_by_a_better_one_and_a_lower_lpips_is_better(
    tmp_path: Path,
) -> None:
    progress, better = keep_all(
        keeper(tmp_path), [(0, 20.0, 0.4), (1, 21.0, 0.5), (2, 21.0, 0.3), (3, 19.0, 0.3)]
    )
    assert better == [["psnr_y", "lpips_alex"], ["psnr_y"], ["lpips_alex"], []]
    assert weight(tmp_path / "best-psnr_y.safetensors") == 1
    assert weight(tmp_path / "best-lpips_alex.safetensors") == 2
    assert progress.best == {
        "psnr_y": Best(value=21.0, step=1),
        "lpips_alex": Best(value=0.3, step=2),
    }
    assert not (tmp_path / "best-ssim_y.safetensors").exists()  # the stage did not ask for it


@pytest.mark.parametrize(("keep_last", "kept"), [(1, [6]), (2, [4, 6]), (9, [0, 2, 4, 6])])
def test_the_last_ones_stay(tmp_path: Path, keep_last: int, kept: list[int]) -> None:
    validations = [(step, 1.0, 1.0) for step in (0, 2, 4, 6)]
    keep_all(keeper(tmp_path, keep_last=keep_last), validations)
    found = sorted(tmp_path.glob("step-*.safetensors"))
    assert [path.name for path in found] == [f"step-{step:07}.safetensors" for step in kept]
    assert [weight(path) for path in found] == kept


def test_steps_that_a_crash_undid_do_not_stay(tmp_path: Path) -> None:
    two = keeper(tmp_path, keep_last=2)
    keep_all(two, [(2, 1.0, 1.0), (4, 1.0, 1.0), (6, 1.0, 1.0)])
    keep_all(two, [(4, 1.0, 1.0)])  # gone on from a state before 6
    assert [weight(path) for path in sorted(tmp_path.glob("step-*"))] == [4]


@pytest.mark.parametrize(
    ("best", "handover", "chosen"),
    [
        (("psnr_y", "lpips_alex"), "best", 1),
        (("lpips_alex", "psnr_y"), "best", 2),
        (("psnr_y",), "last", 3),
    ],
)
def test_the_stage_hands_over_the_best_by_its_first_metric_or_the_last(
    tmp_path: Path, best: tuple[Metric, ...], handover: str, chosen: int
) -> None:
    chooser = keeper(tmp_path, best=best, handover=handover)
    progress, _ = keep_all(chooser, [(1, 25.0, 0.5), (2, 24.0, 0.2), (3, 23.0, 0.3)])
    chooser.hand_over(progress)
    assert weight(tmp_path / "model.safetensors") == chosen


def test_a_checkpoint_says_its_step_and_how_good_it_was(tmp_path: Path) -> None:
    keep_all(keeper(tmp_path), [(0, 20.0, 0.4), (5, 21.0, 0.5)])
    header, _ = read_checkpoint(tmp_path / "best-psnr_y.safetensors")
    assert header.step == 5
    assert header.metrics == {"psnr_y": 21.0, "ssim_y": 0.5, "lpips_alex": 0.5}
    assert header.generator == HEADER.generator
    header, _ = read_checkpoint(tmp_path / "best-lpips_alex.safetensors")
    assert header.step == 0


def test_batch_norms_statistics_are_kept_with_the_weights(tmp_path: Path) -> None:
    net = nn.BatchNorm2d(2)
    net.running_mean = torch.tensor([3.0, 4.0])
    metrics = {"psnr_y": 1.0, "lpips_alex": 1.0}
    keeper(tmp_path).keep(net, Progress(step=1), metrics)
    _, tensors = read_checkpoint(tmp_path / "step-0000001.safetensors")
    assert torch.equal(tensors["running_mean"], torch.tensor([3.0, 4.0]))


def test_a_copy_replaces_its_target_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"older and longer")
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
