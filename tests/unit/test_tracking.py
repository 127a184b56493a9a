"""What trackers are given: curves from events, strips of pictures, and which trackers there are."""

import math
from pathlib import Path

import numpy as np
import pytest

from upres.errors import BadSetting
from upres.tracking.choosing import TRACKERS, check_names, tracking
from upres.tracking.strips import strip
from upres.tracking.tracker import curves, verdict_text

STEP = {
    "event": "step",
    "stage": "gan",
    "step": 40,
    "rate": 1e-4,
    "images_per_second": 12.5,
    "data_wait_share": 0.25,
    "seconds_left": 99.0,
    "total": 2,
    "terms": {"pixel": 0.5, "adversarial": math.nan},
    "weights": {"pixel": 1.0, "adversarial": 0.005},
    "discriminator": {"loss": 0.75, "accuracy": 0.9, "real": 2.0, "fake": -2.0, "updated": 1.0},
    "watch": {"gradient_shares": {"pixel": 0.75, "adversarial": 0.25}, "ema_distance": None},
}


def test_a_step_is_one_curve_for_each_of_its_numbers() -> None:
    found = curves(STEP)
    assert math.isnan(found.pop("terms/adversarial"))
    assert found == {
        "rate": 1e-4,
        "speed/images_per_second": 12.5,
        "speed/data_wait_share": 0.25,
        "total": 2.0,
        "terms/pixel": 0.5,
        "weights/pixel": 1.0,
        "weights/adversarial": 0.005,
        "discriminator/loss": 0.75,
        "discriminator/accuracy": 0.9,
        "discriminator/real": 2.0,
        "discriminator/fake": -2.0,
        "discriminator/updated": 1.0,
        "watch/gradient_shares/pixel": 0.75,
        "watch/gradient_shares/adversarial": 0.25,
    }


def test_a_validation_is_one_curve_for_each_metric() -> None:
    event = {
        "event": "validation",
        "stage": "pixel",
        "step": 3,
        "epoch": 0.75,
        "protocol": "sr-y",
        "metrics": {"psnr_y": math.inf, "lpips_alex": 0.25},
        "best": ["psnr_y"],
        "seconds": 0.1,
    }
    assert curves(event) == {
        "epoch": 0.75,
        "validation/psnr_y": math.inf,
        "validation/lpips_alex": 0.25,
    }


@pytest.mark.parametrize("kind", ["run", "stage", "planned", "verdict", "something new"])
def test_other_events_are_no_curves(kind: str) -> None:
    assert curves({"event": kind, "stage": "gan", "step": 1, "steps": 100}) == {}


def test_a_verdict_says_what_would_change_it() -> None:
    event = {
        "event": "verdict",
        "stage": "gan",
        "step": 900,
        "kind": "won",
        "text": "the discriminator has won",
        "fields": ["stages.gan.losses.adversarial.weight", "stages.gan.balance.r1"],
        "state": "begins",
    }
    assert verdict_text(event) == (
        "the discriminator has won (begins); "
        "see stages.gan.losses.adversarial.weight, stages.gan.balance.r1"
    )
    assert verdict_text({**event, "fields": [], "state": "ends"}) == (
        "the discriminator has won (ends)"
    )


# --- strips


def test_a_strip_is_lr_bicubic_sr_and_hr_with_gaps_of_four_white_pixels() -> None:
    lr = np.zeros((3, 2, 3), np.uint8)
    lr[0, 0] = (255, 0, 0)
    sr, hr = np.full((12, 8, 3), 7, np.uint8), np.full((12, 8, 3), 9, np.uint8)
    shown = strip(lr, sr, hr)
    assert shown.shape == (12, 4 * 8 + 3 * 4, 3)
    assert shown.dtype == np.uint8
    assert (shown[:4, :4] == (255, 0, 0)).all()  # a pixel of LR is a square
    assert (shown[4:, :8] == 0).all()
    assert (shown[:, 24:32] == 7).all()
    assert (shown[:, 36:] == 9).all()
    for left in (8, 20, 32):
        assert (shown[:, left : left + 4] == 255).all()


def test_bicubic_in_a_strip_is_between_the_pixels_of_lr() -> None:
    lr = np.zeros((4, 4, 3), np.uint8)
    lr[:, 2:] = 200
    shown = strip(lr, np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16, 3), np.uint8))
    edge = shown[8, 20 + 6 : 20 + 10, 0]  # around the edge in the middle of 16 columns
    assert (np.diff(edge.astype(int)) > 0).all()
    assert set(np.unique(shown[:, :16])) == {0, 200}  # LR itself is not smoothed


def test_sizes_that_do_not_fit_are_refused() -> None:
    lr, sr, hr = (np.zeros((n, n, 3), np.uint8) for n in (4, 12, 16))
    with pytest.raises(ValueError, match="sr is"):
        strip(lr, sr, hr)
    with pytest.raises(ValueError, match="lr is"):
        strip(lr[:3], hr, hr)


# --- which trackers


def test_tracker_names() -> None:
    assert sorted(TRACKERS) == ["tensorboard", "wandb", "wandb:offline"]
    check_names(["tensorboard", "wandb:offline"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["wandb:ofline"], "there is no tracker 'wandb:ofline': did you mean 'wandb:offline'?"),
        (
            ["comet"],
            "there is no tracker 'comet': known: tensorboard, wandb, wandb:offline.",
        ),
        (["wandb", "wandb:offline"], "--track wandb is given twice: once is enough."),
    ],
)
def test_a_wrong_tracker_is_one_sentence(names: list[str], message: str) -> None:
    with pytest.raises(BadSetting) as refused:
        check_names(names)
    assert str(refused.value) == message


def test_a_run_without_trackers_needs_no_pictures(tmp_path: Path) -> None:
    with tracking([], tmp_path, pytest.fail) as trackers:
        assert not trackers
        trackers.event({"event": "run"})


def test_a_run_that_writes_no_event_leaves_nothing(tmp_path: Path) -> None:
    with tracking(list(TRACKERS)[:2], tmp_path / "run", pytest.fail) as trackers:
        assert trackers
    assert list(tmp_path.iterdir()) == []
