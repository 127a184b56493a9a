"""Paper A's two networks (Szigetvari, Meza Medina, Aktan 2025): SRGAN and ESRGAN, small.

Numbers such as A11 are the questions of docs/papers.md. Paper A raises the adversarial weight by
hand in the middle of a run; here that is a schedule.
"""

from upres.data.crops import CropSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.networks.srresnet import SRResNetSettings
from upres.recipes.schedules import Cosine, Steps
from upres.recipes.schema import Recipe
from upres.recipes.stages import Adam, GanStage, PixelStage
from upres.recipes.terms import AdversarialTerm, ContentTerm, GanLosses, PixelLosses, PixelTerm
from upres.recipes.text import changed

PAPER_A_SRGAN = Recipe(
    name="paper-a-srgan",
    source="Szigetvari, Meza Medina, Aktan 2025 (paper A), SRGAN: sections 2.2 and 3.1",
    scale=4,
    generator=SRResNetSettings(blocks=8, width=64),
    resizer="paper-a",
    crops=CropSettings(hr_patch=96, flip="both", rotate=True),
    batch=16,
    stages={
        "pixel": PixelStage(
            epochs=20,
            losses=PixelLosses(pixel=PixelTerm(form="mse")),
            optimiser=Adam(rate=1e-4),
        ),
        "gan": GanStage(
            epochs=37,
            losses=GanLosses(
                pixel=PixelTerm(form="mse", weight=0.0),
                content=ContentTerm(network="vgg19", layers={"relu3_4": 1.0}, form="squared"),
                adversarial=AdversarialTerm(
                    form="non-saturating",
                    weight=Steps(at=(7 / 37,), values=(1e-3, 5e-2), unit="share"),
                ),
            ),
            optimiser=Adam(rate=1e-4),
            discriminator=VGGDiscriminatorSettings(layout="srgan", norm="batch", dense=1024),
            discriminator_optimiser=Adam(rate=1e-4),
        ),
    },
    precision="float32",
)

PAPER_A_SRGAN_SOURCES = {
    "generator.blocks": "A 2.2.1, end (A8)",
    "generator.width": "not stated (A9)",
    "resizer": "A 3: cv2.INTER_CUBIC from a blurry 256 (A6, A7)",
    "crops.hr_patch": "A 2.2.1: the discriminator takes 96 x 96 (A2)",
    "crops.flip": "not stated (A1)",
    "crops.rotate": "not stated (A1)",
    "batch": "not stated (A1)",
    "stages.pixel.epochs": "A 3.1",
    "stages.pixel.losses.pixel.form": "A 3.1 (A14)",
    "stages.pixel.optimiser.rate": "not stated (A1)",
    "stages.gan.epochs": "A 3.1",
    "stages.gan.losses.pixel.weight": "equation 4 has no pixel term (A14)",
    "stages.gan.losses.content.layers": "A 2.2.2: the first 18 layers, after the ReLU",
    "stages.gan.losses.content.form": "equation 2 (A5)",
    "stages.gan.losses.content.weight": "equation 4",
    "stages.gan.losses.adversarial.form": "equation 3",
    "stages.gan.losses.adversarial.weight.at": "A 3.1: after 7 of 37 epochs (A11)",
    "stages.gan.losses.adversarial.weight.values": "A 2.2.2, 3.1",
    "stages.gan.optimiser.rate": "not stated (A1)",
    "stages.gan.discriminator.layout": "A 2.2.1 (A15)",
    "stages.gan.discriminator.norm": "A 2.2.1",
    "stages.gan.discriminator.dense": "not stated (A9)",
    "stages.gan.discriminator_optimiser.rate": "not stated (A1)",
    "stages.gan.handover": "not stated (A18)",
    "precision": "not stated (A1)",
}

PAPER_A_ESRGAN = changed(
    PAPER_A_SRGAN,
    {
        "name": "paper-a-esrgan",
        "source": "Szigetvari, Meza Medina, Aktan 2025 (paper A), ESRGAN: sections 2.3 and 3.2",
        "generator": RRDBNetSettings(blocks=12, width=64, growth=32, residual_scale=0.2),
        "stages.pixel.epochs": 4,
        "stages.pixel.losses.pixel.form": "l1",
        "stages.gan.epochs": 7,
        "stages.gan.losses.pixel": PixelTerm(form="l1", weight=1e-2),
        "stages.gan.losses.content.layers": {"conv3_4": 1.0},
        "stages.gan.losses.adversarial": AdversarialTerm(
            form="relativistic-average",
            weight=Steps(at=(1 / 7,), values=(5e-3, 5e-2), unit="share"),
        ),
    },
)

PAPER_A_ESRGAN_SOURCES = PAPER_A_SRGAN_SOURCES | {
    "generator.blocks": "A 2.3.2, end",
    "generator.growth": "not stated (A9)",
    "generator.residual_scale": "A 2.3.2: typically (A16)",
    "generator.upsampling": "named without a kind (A16)",
    "stages.pixel.epochs": "A 3.2: stopped at a plateau",
    "stages.pixel.losses.pixel.form": "A 2.3.3 (A14)",
    "stages.gan.epochs": "A 3.2",
    "stages.gan.losses.pixel.weight": "equation 5: a mean (A19)",
    "stages.gan.losses.content.layers": "A 2.3.3: the first 17 layers, before the ReLU",
    "stages.gan.losses.content.form": "not stated (A5)",
    "stages.gan.losses.adversarial.form": "A 2.3.3",
    "stages.gan.losses.adversarial.weight.at": "A 3.2: 'quickly'; after the first epoch (A11)",
    "stages.gan.losses.adversarial.weight.values": "A 2.3.3, 3.2",
    "stages.gan.discriminator.layout": "not described (A15)",
}

# What 20 minutes on two processor cores can teach: fewer blocks, the difference to bicubic, and
# VGG16, whose weights come with a package, in place of VGG19. Losses, weights and the moment of
# the rise are the paper's.
_SMALL = {
    "generator.skip": "bicubic",
    "precision": "auto",
    "stages.pixel.minutes": 6.0,
    "stages.pixel.optimiser.rate": 5e-4,
    "stages.pixel.schedule": Cosine(final=0.02, warmup_steps=50),
    "stages.gan.minutes": 14.0,
    "stages.gan.losses.content.network": "vgg16",
    "stages.gan.losses.content.precision": "bf16",
    "validation.times": 10,
}

PAPER_A_SRGAN_SMALL = changed(
    PAPER_A_SRGAN,
    {
        "name": "paper-a-srgan-small",
        "source": "derived from paper-a-srgan: sized for 20 minutes on two processor cores",
        "generator.blocks": 4,
        "stages.gan.losses.content.layers": {"relu3_3": 1.0},
        **_SMALL,
    },
)

PAPER_A_ESRGAN_SMALL = changed(
    PAPER_A_ESRGAN,
    {
        "name": "paper-a-esrgan-small",
        "source": "derived from paper-a-esrgan: sized for 20 minutes on two processor cores",
        "generator.blocks": 3,
        "stages.gan.losses.content.layers": {"conv3_3": 1.0},
        **_SMALL,
    },
)
