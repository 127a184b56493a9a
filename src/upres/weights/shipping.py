"""Make a checkpoint small enough to ship: `python -m upres.weights.shipping RUN TARGET`."""

import argparse
from pathlib import Path

import torch

from upres.errors import UpresError
from upres.weights.checkpoint import read_checkpoint, save_checkpoint

LICENCE = "Apache-2.0, as upres; the photos that it was trained on are listed in its card"


def ship(source: Path, target: Path) -> None:
    """Write the checkpoint `source` to `target` with its values rounded to float16.

    The header is kept, with the licence of shipped weights. Raises BadWeights, NoSpace.
    """
    header, tensors = read_checkpoint(source)
    halves = {name: tensor.to(torch.float16) for name, tensor in tensors.items()}
    save_checkpoint(target, halves, header.model_copy(update={"licence": LICENCE}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("target", type=Path, help="the file that is written")
    arguments = parser.parse_args()
    try:
        ship(arguments.run / "model.safetensors", arguments.target)
    except UpresError as error:
        parser.error(str(error))
