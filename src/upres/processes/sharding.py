"""A network spread over the processes (FSDP): its whole tensors, and whole tensors put back.

Everywhere else tensors are as they are, and these functions return what they are given.
"""

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(network: nn.Module, mesh: DeviceMesh) -> nn.Module:
    """Spread parameters, gradients and so the optimiser's moments over the processes, in place."""
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()  # FSDP takes no channels_last
    fully_shard(network, mesh=mesh["data_parallel"])
    return network


def is_sharded(network: nn.Module) -> bool:
    """Return whether `shard` was given this network."""
    return any(isinstance(parameter, DTensor) for parameter in network.parameters())


def whole(tensor: Tensor) -> Tensor:
    """Return all of a tensor. Where it is spread, every process must ask in the same order."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(tensor: Tensor, wanted: Tensor) -> Tensor:
    """Return a whole `tensor` spread as `wanted` is."""
    if not isinstance(wanted, DTensor):
        return tensor
    tensor = tensor.to(wanted.device)
    return distribute_tensor(tensor, wanted.device_mesh, wanted.placements)
