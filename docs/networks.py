"""Make what docs/concepts/networks.md shows from the networks themselves: tables and diagrams.

python docs/networks.py        (rewrites the page's tables and docs/concepts/*.svg)
"""

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from diagram import Box, Item, Kind, Row, Sign, Word, figure

from upres.cli.describe import discriminator_facts, generator_facts
from upres.networks.build import DiscriminatorSettings, GeneratorSettings
from upres.networks.compact import CompactSettings
from upres.networks.describe import Layer, without_repetition
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srcnn import SRCNNSettings
from upres.networks.srresnet import SRResNetSettings
from upres.networks.trunk_discriminator import TrunkDiscriminatorSettings
from upres.networks.unet_discriminator import UNetDiscriminatorSettings

CONCEPTS = Path(__file__).parent / "concepts"
PAGE = CONCEPTS / "networks.md"
SCALE, LR_SIDE, PATCH = 4, 32, 128

GENERATORS: tuple[GeneratorSettings, ...] = (
    SRCNNSettings(),
    SRResNetSettings(),
    MSRResNetSettings(),
    RRDBNetSettings(),
    CompactSettings(),
)
DISCRIMINATORS: Mapping[str, DiscriminatorSettings] = {
    "`vgg`, layout `basicsr`": VGGDiscriminatorSettings(),
    "`vgg`, `basicsr`, spectral": VGGDiscriminatorSettings(norm="spectral"),
    "`vgg`, layout `srgan`, dense 1024": VGGDiscriminatorSettings(layout="srgan", dense=1024),
    "`unet`": UNetDiscriminatorSettings(),
    "`trunk`": TrunkDiscriminatorSettings(),
}


def main() -> None:
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for name, drawn in diagrams().items():
        (CONCEPTS / name).write_text(drawn, encoding="utf-8")


def with_tables(page: str) -> str:
    """Return the page with every table between its markers made anew."""
    for name, table in (("generators", generator_table()), ("discriminators", judge_table())):
        between = rf"(<!-- {name}: .*? -->\n).*?(<!-- end -->)"
        page = re.sub(between, lambda found, t=table: found[1] + t + found[2], page, flags=re.S)
    return page


def generator_table() -> str:
    rows = [
        ("`kind`", "parameters", "MFLOPs per LR pixel", "sees, LR pixels", "scales", "batch norm")
    ]
    for settings in GENERATORS:
        facts = _generator(settings)
        rows.append(
            (
                f"`{settings.kind}`",
                f"{facts['parameters']:,}",
                f"{facts['flops_per_lr_pixel'] / 1e6:.2f}",
                str(facts["receptive_radius"]),
                ", ".join(map(str, facts["scales"])),
                "yes" if facts["batch_norm"] else "no",
            )
        )
    return _markdown(rows)


def judge_table() -> str:
    rows = [("`kind`", "parameters", "GFLOPs per patch", "logits", "patch sides", "batch norm")]
    for name, settings in DISCRIMINATORS.items():
        facts = _judge(settings)
        rows.append(
            (
                name,
                f"{facts['parameters']:,}",
                f"{facts['flops'] / 1e9:.2f}",
                "x".join(map(str, facts["output"])),
                facts["sides"],
                "yes" if facts["batch_norm"] else "no",
            )
        )
    return _markdown(rows)


def diagrams() -> dict[str, str]:
    """Return every diagram by its file name."""
    return {
        "srcnn.svg": figure("SRCNN", _srcnn()),
        "srresnet.svg": figure("SRResNet, the generator of SRGAN", _srresnet()),
        "msrresnet.svg": figure("MSRResNet", _msrresnet()),
        "rrdbnet.svg": figure("RRDBNet, the generator of ESRGAN and USRGAN", _rrdbnet()),
        "compact.svg": figure("The compact network of Real-ESRGAN", _compact()),
        "vgg-discriminator.svg": figure("VGG-style discriminator", _vgg()),
        "unet-discriminator.svg": figure("U-Net discriminator of Real-ESRGAN", _unet()),
        "trunk-discriminator.svg": figure("Discriminator on a pretrained VGG19", _trunk()),
    }


def _srcnn() -> list[Row]:
    boxes = _boxes(_generator(SRCNNSettings()))
    return [Row("", [Word("LR"), *boxes, Word("SR")])]


def _srresnet() -> list[Row]:
    facts = _generator(SRResNetSettings())
    inner = _boxes(facts, "body.")
    block = _block(facts, "block")
    head = _boxes(facts, "conv_first", "act_first")
    middle = _boxes(facts, "conv_body", "bn_body")
    items = [Word("LR"), *head, block, *middle, Sign(), *_after(facts, "bn_body"), Word("SR")]
    return [
        Row("", items, skips=[(2, 6)]),
        Row("one block", [Word("x"), *inner, Sign()], skips=[(0, 6)]),
    ]


def _msrresnet() -> list[Row]:
    facts = _generator(MSRResNetSettings())
    inner = _boxes(facts, "body.")
    after = _after(facts, "body.")
    tail = [box for box in after if not box.label.startswith("bilinear")]
    items = [Word("LR"), *_boxes(facts, "conv_first"), _block(facts, "block"), *tail, Sign()]
    return [
        Row("", [*items, Word("SR")], skips=[(0, len(items) - 1)], carried="bilinear x4"),
        Row("one block", [Word("x"), *inner, Sign()], skips=[(0, 3)]),
    ]


def _rrdbnet() -> list[Row]:
    settings = RRDBNetSettings()
    facts = _generator(settings)
    dense = _boxes(facts, "body.*.rdb1.")
    shape = dense[-1].shape
    factor = Sign(f"x {settings.residual_scale}")
    inner = [Box(f"dense {n}", "block", shape, wide=True) for n in (1, 2, 3)]
    head, body = _boxes(facts, "conv_first"), _boxes(facts, "conv_body")
    after = _after(facts, "conv_body")
    items = [Word("LR"), *head, _block(facts, "RRDB"), *body, Sign(), *after, Word("SR")]
    feeds = [(start, tuple(range(start + 2, 6))) for start in (3, 2, 1, 0)]
    return [
        Row("", items, skips=[(1, 4)]),
        Row("one RRDB", [Word("x"), *inner, factor, Sign()], skips=[(0, 5)]),
        Row("one dense block", [Word("x"), *dense, factor, Sign()], skips=[(0, 7)], feeds=feeds),
    ]


def _compact() -> list[Row]:
    settings = CompactSettings()
    boxes = _boxes(_generator(settings))
    # conv, PReLU, then as many pairs as `convs` says, the last conv, shuffle, the plain enlargement
    first, pair, last = boxes[:2], boxes[2:4], boxes[2 + 2 * settings.convs :]
    block = Box("conv, PReLU", "block", pair[-1].shape, times=settings.convs, wide=True)
    items = [Word("LR"), *first, block, *last[:2], Sign(), Word("SR")]
    return [Row("", items, skips=[(0, 6)], carried="nearest x4")]


def _vgg() -> list[Row]:
    boxes = _boxes(_judge(VGGDiscriminatorSettings(norm="spectral")))
    return [Row("", [Word("HR or SR"), *boxes, Word("logit")])]


def _unet() -> list[Row]:
    boxes = _boxes(_judge(UNetDiscriminatorSettings()))
    items: list[Item] = [Word("HR or SR"), *boxes[:4]]
    for number in range(3):
        items += [*boxes[4 + 2 * number : 6 + 2 * number], Sign()]
    items += [*boxes[10:], Word("logits")]
    sums = [index for index, item in enumerate(items) if isinstance(item, Sign)]
    return [Row("", items, skips=[(3, sums[0]), (2, sums[1]), (1, sums[2])])]


def _trunk() -> list[Row]:
    first, *head = _boxes(_judge(TrunkDiscriminatorSettings()))
    trunk = Box("VGG19, frozen", "frozen", first.shape, wide=True)
    return [Row("", [Word("HR or SR"), trunk, *head, Word("logit")])]


def _boxes(facts: Mapping[str, object], *starts: str) -> list[Box]:
    """The layers whose names start so, all of them without; what has no name belongs to none."""
    return [
        _box(layer)
        for layer in _layers(facts)
        if not starts or any(layer.name.startswith(start) for start in starts)
    ]


def _after(facts: Mapping[str, object], start: str) -> list[Box]:
    """The layers behind the last one whose name starts so."""
    layers = _layers(facts)
    last = max(index for index, layer in enumerate(layers) if layer.name.startswith(start))
    return [_box(layer) for layer in layers[last + 1 :]]


def _block(facts: Mapping[str, object], label: str) -> Box:
    *_, last = [layer for layer in _layers(facts) if layer.times > 1]
    return Box(label, "block", last.output, last.times, wide=True)


def _layers(facts: Mapping[str, object]) -> tuple[Layer, ...]:
    rows = facts["layers"]
    assert isinstance(rows, Iterable)
    return without_repetition(Layer(**row) for row in rows)


def _box(layer: Layer) -> Box:
    label = layer.kind.removesuffix(", spectral norm").replace(", stride ", " /")
    label = label.removeprefix("pixel ")
    kind: Kind = "other"
    if layer.kind.startswith("conv"):
        kind = "stride" if "stride" in layer.kind else "conv"
    elif not layer.name:
        kind = "enlarge"
    elif layer.kind.startswith("dense"):
        kind = "dense"
    return Box(label, kind, layer.output)


def _markdown(rows: list[tuple[str, ...]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"


@cache
def _generator(settings: GeneratorSettings) -> Mapping[str, object]:
    return generator_facts(settings, SCALE, LR_SIDE)


@cache
def _judge(settings: DiscriminatorSettings) -> Mapping[str, object]:
    return discriminator_facts(settings, PATCH)


if __name__ == "__main__":
    main()
