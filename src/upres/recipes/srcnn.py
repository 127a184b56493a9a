"""SRCNN (Dong et al., TPAMI 2016), the first row of paper B's table 1 after bicubic."""

from upres.data.crops import CropSettings
from upres.networks.srcnn import SRCNNSettings
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe, Validation
from upres.recipes.stages import Adam, PixelStage
from upres.recipes.terms import PixelLosses, PixelTerm
from upres.recipes.text import changed

SRCNN = Recipe(
    name="srcnn",
    source="Dong et al. 2016 (SRCNN 9-5-5); trained with Adam, as its public versions are",
    scale=4,
    generator=SRCNNSettings(middle=5, channels=3, init="paper"),
    resizer="matlab",
    crops=CropSettings(hr_patch=96, flip="none", rotate=False),
    batch=16,
    stages={
        "pixel": PixelStage(
            epochs=400,
            losses=PixelLosses(pixel=PixelTerm(form="mse")),
            optimiser=Adam(rate=1e-4),
        )
    },
)

SRCNN_SOURCES = {
    "generator.middle": "the 9-5-5 of the paper's comparison; 69,251 parameters on RGB",
    "generator.channels": "the paper's main network sees luma; it reports RGB too",
    "generator.init": "N(0, 0.001), biases 0",
    "crops.hr_patch": "the paper cuts 33 x 33 without padding; padded, a larger patch is the same",
    "batch": "not stated; 16 in public versions",
    "stages.pixel.epochs": "public versions; the paper counts 8e8 backpropagations",
    "stages.pixel.losses.pixel.form": "the paper's equation 4",
    "stages.pixel.optimiser": "the paper has SGD at 1e-4, its last layer at 1e-5",
    "stages.pixel.optimiser.rate": "public versions",
}

# The demo's: as published it needs days, so this one learns the difference to bicubic.
SRCNN_TINY = changed(
    SRCNN,
    {
        "name": "srcnn-tiny",
        "source": "derived from srcnn: sized for the demo",
        "generator.init": "he",
        "generator.skip": "bicubic",
        "crops.flip": "both",
        "crops.rotate": True,
        "batch": 8,
        "stages.pixel.steps": 1000,
        "stages.pixel.optimiser.rate": 5e-4,
        "stages.pixel.schedule": Cosine(final=0.02, warmup_steps=20),
        "compile": "no",
        "validation": Validation(times=4, pictures=4, side=128),
        "log_every": 10,
    },
)
