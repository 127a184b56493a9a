"""USRGAN (paper B, Esfahani): RRDBNet by L1 alone, then with content and adversarial losses.

Numbers such as B4 are the questions of docs/papers.md.
"""

from upres.data.crops import CropSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.recipes.schedules import Cosine
from upres.recipes.schema import Recipe, Validation
from upres.recipes.stages import Adam, GanStage, PixelStage
from upres.recipes.terms import AdversarialTerm, ContentTerm, GanLosses, PixelTerm
from upres.recipes.text import changed

USRGAN = Recipe(
    name="usrgan",
    source="Esfahani, Ultra Resolution GAN (paper B), sections 3 to 5 and 7.1",
    scale=4,
    generator=RRDBNetSettings(
        blocks=23, width=64, growth=32, residual_scale=0.2, upsampling="nearest", batch_norm="none"
    ),
    resizer="matlab",
    crops=CropSettings(hr_patch=128, flip="horizontal", rotate=False),
    batch=32,
    stages={
        "pixel": PixelStage(epochs=200, optimiser=Adam(rate=1e-4)),
        "gan": GanStage(
            epochs=200,
            losses=GanLosses(
                pixel=PixelTerm(form="l1", weight=1.0),
                content=ContentTerm(network="vgg19", layers={"conv5_4": 1.0}, form="squared"),
                adversarial=AdversarialTerm(form="non-saturating", weight=0.005),
            ),
            optimiser=Adam(rate=1e-4),
            discriminator=VGGDiscriminatorSettings(layout="basicsr", norm="spectral"),
            discriminator_optimiser=Adam(rate=1e-4),
        ),
    },
    precision="bf16",
)

USRGAN_SOURCES = {
    "scale": "B 3.2: 32 x 32 to 128 x 128",
    "generator.blocks": "B 3.2",
    "generator.width": "B 3.2: 64 filters",
    "generator.growth": "not stated; ESRGAN's (B23)",
    "generator.residual_scale": "not stated; ESRGAN 3.1 (B23)",
    "generator.upsampling": "B 3.2 says pixel shuffle; nearest loads public weights (B15)",
    "generator.batch_norm": "B 3.2 says batch norm; RRDB has none (B1)",
    "resizer": "B 3.1: bicubic with antialiasing, made before training",
    "crops.hr_patch": "B 3.1",
    "crops.flip": "B 3.1: horizontal flips only",
    "crops.rotate": "B 3.1",
    "batch": "B 5.1",
    "stages.pixel.epochs": "B 4; an epoch is photos // batch steps (B8)",
    "stages.pixel.losses.pixel.form": "B 4, equation 1",
    "stages.pixel.optimiser.rate": "B 4",
    "stages.pixel.optimiser.beta1": "not stated; Adam's own (B17)",
    "stages.pixel.optimiser.beta2": "not stated; Adam's own (B17)",
    "stages.pixel.schedule.kind": "not stated (B17)",
    "stages.pixel.ema": "not stated (B17)",
    "stages.pixel.best": "B 4: best by a validation metric, which is not named (B17)",
    "stages.gan.epochs": "B 4",
    "stages.gan.losses.pixel.weight": "B 4; 'was reduced' contradicts it (B2)",
    "stages.gan.losses.content.weight": "B 4 (B3)",
    "stages.gan.losses.content.network": "B 4, 7.1.2",
    "stages.gan.losses.content.layers": "B 7.1.2: 'a high-level layer' (B7)",
    "stages.gan.losses.content.form": "B equation 2",
    "stages.gan.losses.adversarial.weight": "B 4",
    "stages.gan.losses.adversarial.form": "B 7.1.3's words; equation 3 is saturating (B4)",
    "stages.gan.optimiser.rate": "not stated; stage 1's (B17)",
    "stages.gan.discriminator.layout": "B 3.2; the caption of figure 2 says otherwise (B5)",
    "stages.gan.discriminator.norm": "B 3.2: spectral norm across the network (B6)",
    "stages.gan.discriminator_optimiser.rate": "not stated; stage 1's (B17)",
    "precision": "B 4; the gradient scaler beside bf16 does nothing and is left out (B16)",
}

# What 30 minutes on two processor cores can teach: a smaller generator that learns the
# difference to bicubic, faster steps, a content layer low enough for small patches.
_SMALL = {
    "source": "derived from usrgan: sized for 30 minutes on two processor cores",
    "generator.blocks": 6,
    "generator.width": 48,
    "generator.growth": 24,
    "generator.skip": "bicubic",
    "crops.hr_patch": 96,
    "crops.flip": "both",
    "crops.rotate": True,
    "batch": 8,
    "precision": "auto",
    "stages.pixel.minutes": 14.0,
    "stages.pixel.optimiser.rate": 5e-4,
    "stages.pixel.schedule": Cosine(final=0.02, warmup_steps=50),
    "stages.pixel.ema": 0.995,
    "stages.gan.minutes": 14.0,
    "stages.gan.losses.pixel.weight": 0.2,
    "stages.gan.losses.content.weight": 0.1,
    "stages.gan.losses.content.network": "vgg16",
    "stages.gan.losses.content.layers": {"conv3_3": 1.0},
    "stages.gan.losses.content.form": "l1",
    "stages.gan.losses.content.jitter": 4,
    "stages.gan.losses.content.precision": "bf16",
    "stages.gan.losses.adversarial.weight": 0.05,
    "stages.gan.optimiser.rate": 5e-4,
    "stages.gan.discriminator.width": 32,
    "stages.gan.discriminator.spectral_gain": 1.8,
    "stages.gan.discriminator_optimiser.rate": 2e-4,
    "stages.gan.schedule": Cosine(final=0.05),
    "stages.gan.ema": 0.995,
}

USRGAN_SMALL = changed(USRGAN, {"name": "usrgan-small", **_SMALL})

# The demo's: smaller again, less than two minutes a stage where nothing else runs. In steps, so
# that a busy machine makes it slower but not worse.
TINY = changed(
    USRGAN_SMALL,
    {
        "name": "tiny",
        "source": "derived from usrgan-small: sized for the demo, minutes on two processor cores",
        "generator.blocks": 2,
        "generator.width": 32,
        "generator.growth": 16,
        "stages.pixel.steps": 1400,
        "stages.pixel.ema": 0.99,
        "stages.gan.steps": 420,
        "stages.gan.ema": 0.99,
        "compile": "no",
        "validation": Validation(times=6, pictures=4, side=128),
        "log_every": 10,
        "watch_every": 50,
    },
)
