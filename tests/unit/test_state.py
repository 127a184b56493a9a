"""All that changes while a stage trains, to disk and back."""

import errno
import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from upres.errors import BadRun, BadWeights, NoSpace
from upres.training.ema import averaged_copy, update_average
from upres.training.state import Best, Progress, StageState, load_state, save_state

PROGRESS = Progress(
    step=7,
    planned=20,
    planned_for_minutes=1.5,
    best={"psnr_y": Best(value=0.1 + 0.2, step=5), "lpips_alex": Best(value=1 / 3, step=7)},
)


def generator(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))


def discriminator(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            spectral_norm(nn.Conv2d(3, 4, 3)), nn.Flatten(), spectral_norm(nn.Linear(144, 1))
        )


def gan_state(seed: int) -> StageState:
    made, judge = generator(seed), discriminator(seed)
    return StageState(
        made,
        torch.optim.Adam(made.parameters(), 1e-3),
        averaged_copy(made),
        judge,
        torch.optim.Adam(judge.parameters(), 2e-3, betas=(0.5, 0.9)),
    )


def pixel_state(seed: int) -> StageState:
    made = generator(seed)
    return StageState(made, torch.optim.Adam(made.parameters(), 1e-3))


def train(state: StageState, *, first: int, steps: int) -> None:
    """Every batch is a function of its number; nothing else is random."""
    for number in range(first, first + steps):
        picture = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(number))
        loss = (state.generator(picture) - picture).abs().mean()
        state.optimiser.zero_grad()
        loss.backward()
        state.optimiser.step()
        if state.average is not None:
            update_average(state.average, state.generator, 0.9)
        if state.discriminator is not None and state.discriminator_optimiser is not None:
            state.discriminator_optimiser.zero_grad()
            state.discriminator(picture).mean().backward()
            state.discriminator_optimiser.step()


def tensors(state: StageState) -> Iterator[tuple[str, Tensor]]:
    """All tensors of a state, found without the code that saves them."""
    for name in ("generator", "average", "discriminator"):
        for key, value in getattr(state, name).state_dict().items():
            yield f"{name}.{key}", value
    for name in ("optimiser", "discriminator_optimiser"):
        for group in getattr(state, name).param_groups:
            for index, parameter in enumerate(group["params"]):
                for key, value in sorted(getattr(state, name).state.get(parameter, {}).items()):
                    yield f"{name}.{index}.{key}", value


def assert_same_bits(one: StageState, other: StageState) -> None:
    pairs = list(zip(tensors(one), tensors(other), strict=True))
    assert pairs
    for (name, a), (same_name, b) in pairs:
        assert name == same_name
        assert a.dtype == b.dtype, name
        assert torch.equal(a, b), name


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, StageState]:
    state = gan_state(1)
    train(state, first=0, steps=3)
    state.progress = PROGRESS
    save_state(tmp_path / "state.safetensors", state)
    return tmp_path / "state.safetensors", state


def test_every_part_comes_back_bit_for_bit(saved: tuple[Path, StageState]) -> None:
    path, state = saved
    names = {name.partition(".")[0] for name, _ in tensors(state)}
    moments = {"optimiser", "discriminator_optimiser"}
    assert names == {"generator", "average", "discriminator"} | moments
    other = gan_state(2)
    load_state(path, other)
    assert_same_bits(state, other)
    assert other.progress == PROGRESS


def test_training_goes_on_with_the_same_bits(saved: tuple[Path, StageState]) -> None:
    path, state = saved
    other = gan_state(2)
    load_state(path, other)
    for one in (state, other):
        train(one, first=3, steps=3)
    assert_same_bits(state, other)


def test_the_average_and_the_generator_are_two_things(saved: tuple[Path, StageState]) -> None:
    path, _ = saved
    other = gan_state(2)
    load_state(path, other)
    assert other.average is not None
    live, kept = other.generator.state_dict(), other.average.state_dict()
    assert not torch.equal(live["0.weight"], kept["0.weight"])


def test_the_optimisers_settings_are_those_of_the_recipe_not_of_the_file(
    saved: tuple[Path, StageState],
) -> None:
    path, _ = saved
    other = gan_state(2)
    load_state(path, other)
    assert other.discriminator_optimiser is not None
    group = other.discriminator_optimiser.param_groups[0]
    assert (group["lr"], group["betas"]) == (2e-3, (0.5, 0.9))


def test_a_state_of_step_0_has_no_moments_and_comes_back(tmp_path: Path) -> None:
    save_state(tmp_path / "state.safetensors", gan_state(1))
    other = gan_state(2)
    load_state(tmp_path / "state.safetensors", other)
    assert_same_bits(gan_state(1), other)
    assert not other.optimiser.state


def test_a_best_that_is_infinite_comes_back(tmp_path: Path) -> None:
    # the PSNR of pictures that were restored exactly, such as white pages
    state = pixel_state(1)
    state.progress = Progress(step=2, best={"psnr_y": Best(value=math.inf, step=2)})
    save_state(tmp_path / "state.safetensors", state)
    other = pixel_state(2)
    load_state(tmp_path / "state.safetensors", other)
    assert other.progress == state.progress


def test_saving_again_gives_the_same_bytes(saved: tuple[Path, StageState]) -> None:
    path, state = saved
    first = path.read_bytes()
    save_state(path, state)
    assert path.read_bytes() == first


# --- refusals


@pytest.mark.parametrize(
    ("written", "wanted"), [(pixel_state, gan_state), (gan_state, pixel_state)]
)
def test_the_state_of_another_stage_is_refused(tmp_path: Path, written: type, wanted: type) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, written(1))
    with pytest.raises(BadRun, match=r"state.safetensors is not the state of this stage \("):
        load_state(path, wanted(2))


def test_the_state_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_state(path, pixel_state(1))
    other = nn.Conv2d(3, 3, 1)
    wanted = StageState(other, torch.optim.Adam(other.parameters(), 1.0))
    with pytest.raises(BadRun) as caught:
        load_state(path, wanted)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("or remove the file to start the stage again.")


def test_a_state_that_was_cut_off_is_refused(saved: tuple[Path, StageState]) -> None:
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadWeights, match="damaged or cut-off"):
        load_state(path, gan_state(2))


# --- writing


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_state_and_nothing_else(
    saved: tuple[Path, StageState], monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    path, state = saved
    before = path.read_bytes()
    really_write = Path.write_bytes

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    def half(self: Path, content: bytes) -> None:
        really_write(self, content[: len(content) // 2])
        full()

    train(state, first=3, steps=1)
    with monkeypatch.context() as patch, pytest.raises(NoSpace) as caught:
        if where == "write":
            patch.setattr(Path, "write_bytes", half)
        else:
            patch.setattr(os, "fsync", full)
        save_state(path, state)
    assert str(caught.value).startswith(f"{path} could not be written: the disk")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_stop_while_writing_leaves_the_old_state_and_nothing_else(
    saved: tuple[Path, StageState], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, state = saved
    before = path.read_bytes()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", stop)
        save_state(path, state)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
