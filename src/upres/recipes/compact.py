"""The small fast network of Real-ESRGAN: the recipes of the shipped models.

Its published training options were never released; the values here are our own.
"""

from upres.data.crops import CropSettings
from upres.networks.compact import CompactSettings
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe, Validation
from upres.recipes.stages import Adam, PixelStage
from upres.recipes.text import changed
from upres.recipes.usrgan import USRGAN_SMALL

COMPACT_X4 = Recipe(
    name="compact-x4",
    source="SRVGGNetCompact (Real-ESRGAN's small networks); training values are our own",
    scale=4,
    generator=CompactSettings(width=64, convs=16),
    resizer="matlab",
    crops=CropSettings(hr_patch=128, flip="both", rotate=True),
    batch=16,
    stages={
        "pixel": PixelStage(
            steps=26_000,  # 40 minutes on two cores with AMX
            optimiser=Adam(rate=1e-3, beta2=0.99),
            schedule=Cosine(final=0.001, warmup_steps=200),
            ema=0.999,
        )
    },
    validation=Validation(times=30),
    log_every=100,
    save_every=1000,
)

# LR patches of the same 32 pixels.
COMPACT_X2 = changed(
    COMPACT_X4,
    {
        "name": "compact-x2",
        "source": "derived from compact-x4: twice as large",
        "scale": 2,
        "crops.hr_patch": 64,
        "crops.texture": True,
        "stages.pixel.steps": 5_000,
    },
)
COMPACT_X3 = changed(
    COMPACT_X2,
    {
        "name": "compact-x3",
        "source": "derived from compact-x4: three times as large",
        "scale": 3,
        "crops.hr_patch": 96,
    },
)

# The same network, then taught against a discriminator by the values of usrgan-small's second
# stage: the two can be interpolated.
_TWO_STAGES = {"stages": {**COMPACT_X4.stages, "gan": USRGAN_SMALL.stages["gan"]}}
COMPACT_X4_GAN = changed(
    COMPACT_X4.model_copy(update=_TWO_STAGES),
    {
        "name": "compact-x4-gan",
        "source": "derived from compact-x4, with the second stage of usrgan-small",
        "crops.hr_patch": 96,
        "crops.texture": True,
        "stages.gan.steps": 3_000,
        "stages.gan.optimiser.rate": 2e-4,
    },
)

COMPACT_X4_SOURCES = {
    "generator.width": "realesr-animevideov3",
    "generator.convs": "realesr-animevideov3",
    "stages.pixel.optimiser.beta2": "BasicSR's habit",
}
