"""Penalties that keep the discriminator's slope small."""

import torch
from jaxtyping import Float
from torch import Tensor

from upres.losses.exact import exact


def gradient_penalty(
    logits: Float[Tensor, "n 1 *hw"], pictures: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """Return half the squared norm of the gradient of each sample's logit by its own picture.

    R1 on photos and their logits, R2 on fakes and theirs; the half is the paper's, so that a
    weight is its gamma. Of a map of logits (n, 1, h, w) the mean over positions counts.
    pictures: what the logits were computed from, with `requires_grad` set before that.
    It can be differentiated by the discriminator's parameters; give it `.mean()` over the batch.

    Compute the logits in float32 outside of autocast. With those of bfloat16 autocast it runs, but
    its gradient is that of another function: on a small VGG-style discriminator the value was 1 %
    off and the gradient by 20 to 34 % of its norm; float16 lost all of it with batch norm.
    With batch norm samples depend on each other, and a sample's value has a part of theirs.
    Raises ValueError if the pictures take no gradient.
    Source: Mescheder et al. 2018 equations 9 and 10.
    """
    if not pictures.requires_grad:
        raise ValueError("gradient_penalty needs pictures that take a gradient")
    summed = exact(logits).flatten(1).mean(dim=1).sum()  # a sample's gradient is its own logit's
    (slope,) = torch.autograd.grad(summed, pictures, create_graph=True)
    return exact(slope).square().sum(dim=(1, 2, 3)) / 2
