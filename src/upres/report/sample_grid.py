"""A grid to look at, as paper A has it: a line a picture, a column a row, LR first and HR last."""

from collections.abc import Sequence
from dataclasses import dataclass

from upres.report.crops import Box
from upres.report.embed import EmbeddedPicture, Layer
from upres.report.pictures import HR, LR


@dataclass(frozen=True)
class SampleLine:
    """The same part of one picture in every column; None where a row lacks the picture."""

    picture: str
    box: Box
    layers: tuple[Layer | None, ...]


@dataclass(frozen=True)
class SampleGrid:
    """The names of the columns, and the lines."""

    columns: tuple[str, ...]
    lines: tuple[SampleLine, ...]


def sample_grid(pictures: Sequence[EmbeddedPicture]) -> SampleGrid | None:
    """The grid of the pictures that have a sample; None if there is none."""
    samples = [(picture.name, picture.sample) for picture in pictures if picture.sample]
    if not samples:
        return None
    names = dict.fromkeys(layer.row for _, sample in samples for layer in sample.layers)
    columns = (
        *(name for name in names if name == LR),
        *(name for name in names if name not in (LR, HR)),
        HR,
    )
    lines = []
    for picture, sample in samples:
        layers = {layer.row: layer for layer in sample.layers}
        cells = tuple(layers.get(name) for name in columns)
        lines.append(SampleLine(picture, sample.box, cells))
    return SampleGrid(columns, tuple(lines))
