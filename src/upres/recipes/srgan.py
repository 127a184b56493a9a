"""SRResNet and SRGAN (Ledig et al. 2017), with the values that the paper prints."""

from upres.data.crops import CropSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.srresnet import SRResNetSettings
from upres.recipes.schedules import Milestones
from upres.recipes.schema import Recipe
from upres.recipes.stages import Adam, GanStage, PixelStage
from upres.recipes.terms import AdversarialTerm, ContentTerm, GanLosses, PixelLosses, PixelTerm
from upres.recipes.text import changed

SRRESNET = Recipe(
    name="srresnet",
    source="Ledig et al. 2017 (SRGAN), SRResNet-MSE: sections 2.1 and 3.2",
    scale=4,
    generator=SRResNetSettings(blocks=16, width=64),
    resizer="matlab",
    crops=CropSettings(hr_patch=96, flip="none", rotate=False),
    batch=16,
    stages={
        "pixel": PixelStage(
            steps=1_000_000,
            losses=PixelLosses(pixel=PixelTerm(form="mse", weight=4.0)),
            optimiser=Adam(rate=1e-4, beta1=0.9),
        )
    },
)

SRGAN = changed(
    SRRESNET,
    {
        "name": "srgan",
        "source": "Ledig et al. 2017 (SRGAN-VGG54), sections 2 and 3.2",
        "stages": {
            "pixel": SRRESNET.stages["pixel"].model_dump(mode="json"),
            "gan": GanStage(
                steps=200_000,
                losses=GanLosses(
                    pixel=PixelTerm(form="mse", weight=0.0),
                    content=ContentTerm(
                        network="vgg19", layers={"relu5_4": 512 / 12.75**2}, form="squared"
                    ),
                    adversarial=AdversarialTerm(form="non-saturating", weight=1e-3),
                ),
                optimiser=Adam(rate=1e-4, beta1=0.9),
                discriminator=VGGDiscriminatorSettings(layout="srgan", norm="batch", dense=1024),
                discriminator_optimiser=Adam(rate=1e-4, beta1=0.9),
                schedule=Milestones(at=(0.5,), factor=0.1, unit="share"),
            ).model_dump(mode="json"),
        },
    },
)

SRRESNET_SOURCES = {
    "scale": "3.2",
    "generator.blocks": "3.2",
    "generator.width": "2.1",
    "resizer": "3.2: bicubic; section 2's Gaussian filter contradicts it",
    "crops.hr_patch": "3.2: 96 x 96",
    "crops.flip": "none is mentioned",
    "batch": "3.2: 16 crops of distinct images",
    "stages.pixel.steps": "3.2: 10^6 updates",
    "stages.pixel.losses.pixel.form": "equation 4",
    "stages.pixel.losses.pixel.weight": "3.2: HR in -1..1, so a square is 4 times as large",
    "stages.pixel.optimiser.rate": "3.2",
    "stages.pixel.optimiser.beta1": "3.2; beta2 is not given",
}

SRGAN_SOURCES = SRRESNET_SOURCES | {
    "stages.gan.steps": "3.2: 10^5 updates and 10^5 more",
    "stages.gan.losses.pixel.weight": "equation 3 has no pixel term",
    "stages.gan.losses.content.layers": "3.2, 3.4: phi 5,4 after its ReLU; equation 5 has no mean "
    "over the 512 channels, features are divided by 12.75",
    "stages.gan.losses.content.form": "equation 5",
    "stages.gan.losses.adversarial.weight": "equation 3",
    "stages.gan.losses.adversarial.form": "equation 6",
    "stages.gan.optimiser.rate": "3.2",
    "stages.gan.discriminator.layout": "2.1, figure 4",
    "stages.gan.discriminator.norm": "2.1",
    "stages.gan.discriminator.dense": "figure 4, as its public versions agree",
    "stages.gan.discriminator_optimiser.rate": "3.2",
    "stages.gan.schedule.at": "3.2: 1e-4, then 1e-5 for the second half",
    "stages.gan.balance.discriminator_steps": "3.2: k = 1",
}
