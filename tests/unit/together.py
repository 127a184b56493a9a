"""Run by test_processes.py: two processes do each thing once; the first prints what came out."""

import copy
import json
import sys

import torch
from lightning_fabric import Fabric

from upres.errors import NoSpace
from upres.processes.devices import Layout
from upres.processes.fabric import fabric_for
from upres.processes.sharding import is_sharded, like, shard, whole
from upres.processes.together import (
    any_of,
    as_in_first,
    average_gradients,
    collected,
    dealt,
    from_first,
    launched,
    means,
    of_all,
    share,
)


def what_comes_out(fabric: Fabric) -> dict[str, object]:
    number = fabric.global_rank
    scores = torch.tensor([[1.0 + 2 * number], [2.0 + 2 * number]], requires_grad=True)
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    frozen = torch.nn.Parameter(torch.zeros(3), requires_grad=False)
    everyones = of_all(fabric, scores * weight[0])
    (everyones * torch.arange(1.0, 5.0)[:, None]).mean().backward()
    alone = weight.grad.clone()
    average_gradients(fabric, [weight, frozen])
    started = torch.full((2, 2), float(number)).t()
    as_in_first(fabric, [started])
    return {
        "share": list(share(fabric, 6)),
        "means": means(fabric, {"a": 1.0 + number, "b": -4.0 * number}),
        "nan": means(fabric, {"a": float("nan") if number else 0.0}),
        "any": [any_of(fabric, number == 1), any_of(fabric, False)],
        "from_first": from_first(fabric, lambda: f"by {number}"),
        "of_all": everyones.flatten().tolist(),
        "alone": alone.tolist(),
        "average": weight.grad.tolist(),
        "frozen": frozen.grad,
        "dealt": list(dealt(fabric, "abcde")),
        "collected": collected(fabric, [f"{i}{number}" for i in dealt(fabric, "abcde")], 5),
        "as_in_first": started.tolist(),
        "raised": _raised(fabric),
        "sharded": _sharded(fabric),
    }


def _raised(fabric: Fabric) -> list[object]:
    def fill() -> None:
        raise NoSpace(f"no room in {fabric.global_rank}")

    try:
        from_first(fabric, fill)
    except Exception as error:
        return [type(error).__name__, str(error), getattr(error, "exit_code", None)]
    return []


def _sharded(fabric: Fabric) -> dict[str, object]:
    """A step of a network that is spread over the processes, and of one that is whole."""
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.Conv2d(5, 2, 1))
    spread = copy.deepcopy(plain)
    mesh = torch.distributed.init_device_mesh("cpu", (2,), mesh_dim_names=("data_parallel",))
    spread = shard(spread.to(memory_format=torch.channels_last), mesh)
    before = is_sharded(spread), is_sharded(plain)
    pictures = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(fabric.global_rank))
    for network in (spread, plain):
        optimiser = torch.optim.Adam(network.parameters(), 0.1)
        network(pictures).square().mean().backward()
        average_gradients(fabric, network.parameters())
        optimiser.step()
    ours = {key: whole(value) for key, value in spread.state_dict().items()}
    theirs = plain.state_dict()
    moments = [whole(values["exp_avg"]) for values in _moments(spread, pictures)]
    zeros = {key: like(torch.zeros_like(v), spread.state_dict()[key]) for key, v in theirs.items()}
    spread.load_state_dict(zeros)
    return {
        "is_sharded": before,
        "difference": max(float((ours[k] - theirs[k]).abs().max()) for k in theirs),
        "shapes": all(ours[k].shape == theirs[k].shape for k in theirs),
        "moments": len(moments),
        "emptied": all(not whole(value).any() for value in spread.state_dict().values()),
    }


def _moments(network: torch.nn.Module, pictures: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    optimiser = torch.optim.Adam(network.parameters(), 0.0)
    network(pictures).sum().backward()
    optimiser.step()
    return list(optimiser.state_dict()["state"].values())


if __name__ == "__main__":
    together = fabric_for("float32", Layout(processes=2))
    with launched(together):
        torch.set_num_threads(1)
        found = collected(together, [what_comes_out(together)], 2)
        if together.is_global_zero:
            json.dump({"first": found[0], "second": found[1]}, sys.stdout)
