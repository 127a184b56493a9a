"""The small fast network of Real-ESRGAN, trained on pixels alone: the default model's recipe.

Its published training options were never released; the values here are our own.
"""

from upres.data.crops import CropSettings
from upres.networks.compact import CompactSettings
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe, Validation
from upres.recipes.stages import Adam, PixelStage

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

COMPACT_X4_SOURCES = {
    "generator.width": "realesr-animevideov3",
    "generator.convs": "realesr-animevideov3",
    "stages.pixel.optimiser.beta2": "BasicSR's habit",
}
