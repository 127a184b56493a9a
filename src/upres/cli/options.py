"""Options that several commands have, each with one text."""

from pathlib import Path
from typing import Annotated

import typer

HrFolder = Annotated[
    Path, typer.Option(help="Folder of HR pictures, or one with HR/ and perhaps LR_x4/ in it.")
]
ProtocolName = Annotated[
    str, typer.Option(help="How LR is made and what is compared; `upres protocols` lists all.")
]
MetricNames = Annotated[
    str | None,
    typer.Option(
        help="Names with commas between them; `upres metrics` lists all. By default "
        "psnr,ssim,lpips_alex, the last not with protocols that enlarge luma alone."
    ),
]
WeightsDir = Annotated[Path | None, typer.Option(help="Folder with pretrained weights.")]
DeviceWish = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps; auto takes a GPU where there is one.")
]
Sharers = Annotated[
    int | None, typer.Option(metavar="N", help="Processes that share the pictures out.")
]
FirstNetwork = Annotated[
    str, typer.Argument(metavar="A", help="The faithful network, trained for PSNR.")
]
SecondNetwork = Annotated[
    str,
    typer.Argument(metavar="B", help="The one trained on from A against a discriminator."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]
