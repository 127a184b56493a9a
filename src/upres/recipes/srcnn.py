"""SRCNN (Dong et al., TPAMI 2016), the first row of paper B's table 1 after bicubic."""

from upres.data.crops import CropSettings
from upres.networks.srcnn import SRCNNSettings
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe, Validation
from upres.recipes.stages import SGD, Adam, PixelStage
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

SRCNN_955 = changed(
    SRCNN,
    {
        "name": "srcnn-955",
        "source": "Dong et al. 2016 (SRCNN 9-5-5), by gradient descent as in the paper",
        "crops.hr_patch": 36,
        "stages.pixel.steps": 50_000_000,
        "stages.pixel.optimiser": SGD(rate=1e-4, momentum=0.9, last_layer=0.1),
    },
)

SRCNN_955_SOURCES = {
    **{name: said for name, said in SRCNN_SOURCES.items() if not name.startswith("stages")},
    "scale": "the paper's main study has 3; 2 and 4 are reported too",
    "crops.hr_patch": "the paper cuts 33 x 33 without padding; 36 is the next multiple of 4",
    "stages.pixel.losses.pixel.form": "the paper's equation 4",
    "stages.pixel.steps": "8e8 backpropagations, 16 at a time",
    "stages.pixel.optimiser.kind": "the paper",
    "stages.pixel.optimiser.rate": "1e-4 in the first two layers",
    "stages.pixel.optimiser.last_layer": "1e-5 in the last layer, without which it does not learn",
    "stages.pixel.optimiser.momentum": "not stated in the text; 0.9 in public versions",
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
