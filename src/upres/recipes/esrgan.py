"""RRDB and ESRGAN (Wang et al. 2018), MSRResNet and its GAN: as BasicSR trains them.

BasicSR is commit 8d56e3a of XPixelGroup/BasicSR; where the ESRGAN paper prints other values,
they are the recipe `esrgan-paper`.
"""

from upres.data.crops import CropSettings
from upres.networks.discriminators import VGGDiscriminatorSettings
from upres.networks.msrresnet import MSRResNetSettings
from upres.networks.rrdbnet import RRDBNetSettings
from upres.recipes.schedules import Cosine, Milestones
from upres.recipes.schema import Recipe
from upres.recipes.stages import Adam, GanStage, PixelStage
from upres.recipes.terms import AdversarialTerm, ContentTerm, GanLosses, PixelLosses, PixelTerm
from upres.recipes.text import changed

_PIXEL = PixelStage(
    steps=1_000_000,
    losses=PixelLosses(pixel=PixelTerm(form="l1", weight=1.0)),
    optimiser=Adam(rate=2e-4, beta1=0.9, beta2=0.99),
    schedule=Cosine(final=1e-7 / 2e-4, periods=4),
    ema=0.999,
    handover="last",
)
_GAN = GanStage(
    steps=400_000,
    losses=GanLosses(
        pixel=PixelTerm(form="l1", weight=1e-2),
        content=ContentTerm(network="vgg19", layers={"conv5_4": 1.0}, form="l1", weight=1.0),
        adversarial=AdversarialTerm(form="non-saturating", weight=5e-3),
    ),
    optimiser=Adam(rate=1e-4, beta1=0.9, beta2=0.99),
    discriminator=VGGDiscriminatorSettings(layout="basicsr", norm="batch"),
    discriminator_optimiser=Adam(rate=1e-4, beta1=0.9, beta2=0.99),
    schedule=Milestones(at=(0.125, 0.25, 0.5, 0.75), factor=0.5, unit="share"),
    ema=0.999,
)

MSRRESNET = Recipe(
    name="msrresnet",
    source="BasicSR, options/train/SRResNet_SRGAN/train_MSRResNet_x4.yml",
    scale=4,
    generator=MSRResNetSettings(blocks=16, width=64),
    resizer="matlab",
    crops=CropSettings(hr_patch=128, flip="both", rotate=True),
    batch=16,
    stages={"pixel": _PIXEL},
)

MSRGAN = changed(
    MSRRESNET,
    {
        "name": "msrgan",
        "source": "BasicSR, options/train/SRResNet_SRGAN/train_MSRGAN_x4.yml",
        "stages": {
            "pixel": _PIXEL.model_dump(mode="json"),
            "gan": _GAN.model_dump(mode="json"),
        },
    },
)

RRDB_PSNR = changed(
    MSRRESNET,
    {
        "name": "rrdb-psnr",
        "source": "BasicSR, options/train/ESRGAN/train_RRDBNet_PSNR_x4.yml",
        "generator": RRDBNetSettings(blocks=23, width=64, growth=32),
    },
)

ESRGAN = changed(
    MSRGAN,
    {
        "name": "esrgan",
        "source": "BasicSR, options/train/ESRGAN/train_ESRGAN_x4.yml",
        "generator": RRDBNetSettings(blocks=23, width=64, growth=32),
        "stages.gan.losses.adversarial.form": "relativistic-average",
    },
)

ESRGAN_PAPER = changed(
    ESRGAN,
    {
        "name": "esrgan-paper",
        "source": "Wang et al. 2018 (ESRGAN), sections 3.3, 4.1 and the supplement",
        "crops.flip": "horizontal",
        "stages.pixel.schedule": Milestones(at=(0.2, 0.4, 0.6, 0.8), factor=0.5, unit="share"),
        "stages.pixel.optimiser.beta2": 0.999,
        "stages.pixel.ema": None,
        "stages.gan.optimiser.beta2": 0.999,
        "stages.gan.discriminator_optimiser.beta2": 0.999,
        "stages.gan.losses.adversarial.weight": 1e-2,
        "stages.gan.ema": None,
    },
)

MSRRESNET_SOURCES = {
    "scale": "scale: 4",
    "generator.kind": "network_g",
    "generator.blocks": "num_block",
    "generator.width": "num_feat",
    "resizer": "DIV2K's own bicubic LR, made by MATLAB",
    "crops.hr_patch": "gt_size: 128",
    "crops.flip": "use_hflip and use_rot: flips and transposition, each with 0.5",
    "crops.rotate": "use_rot",
    "batch": "batch_size_per_gpu: 16, on one GPU",
    "stages.pixel.steps": "total_iter: 1000000",
    "stages.pixel.losses.pixel.form": "L1Loss, weight 1",
    "stages.pixel.optimiser.rate": "lr: 2e-4",
    "stages.pixel.optimiser.beta2": "betas: 0.9, 0.99",
    "stages.pixel.schedule.periods": "CosineAnnealingRestartLR, 4 periods of 250000",
    "stages.pixel.schedule.final": "eta_min: 1e-7",
    "stages.pixel.ema": "ema_decay: 0.999; buffers are copied here, BasicSR leaves them out",
    "stages.pixel.handover": "pretrain_network_g of the GAN's options: net_g_1000000, the last",
}

_GAN_SOURCES = {
    "stages.gan.steps": "total_iter: 400000",
    "stages.gan.losses.pixel.weight": "pixel_opt: 1e-2",
    "stages.gan.losses.content.layers": "conv5_4 before its ReLU",
    "stages.gan.losses.content.form": "criterion: l1",
    "stages.gan.losses.content.weight": "perceptual_weight: 1",
    "stages.gan.losses.adversarial.form": "gan_type: vanilla; relativistic in ESRGANModel",
    "stages.gan.losses.adversarial.weight": "loss_weight: 5e-3",
    "stages.gan.optimiser.rate": "lr: 1e-4",
    "stages.gan.discriminator.layout": "VGGStyleDiscriminator, num_feat 64",
    "stages.gan.discriminator_optimiser.rate": "lr: 1e-4",
    "stages.gan.schedule.at": "milestones 50k, 100k, 200k, 300k of 400k",
    "stages.gan.schedule.factor": "gamma: 0.5",
    "stages.gan.balance.discriminator_steps": "net_d_iters: 1, net_d_init_iters: 0",
}

MSRGAN_SOURCES = MSRRESNET_SOURCES | _GAN_SOURCES
RRDB_PSNR_SOURCES = MSRRESNET_SOURCES | {"generator.growth": "num_grow_ch"}
ESRGAN_SOURCES = RRDB_PSNR_SOURCES | _GAN_SOURCES

ESRGAN_PAPER_SOURCES = {
    "generator.blocks": "4.1: 23 RRDB",
    "generator.residual_scale": "3.1: 0.2",
    "resizer": "4.1: MATLAB's bicubic",
    "crops.hr_patch": "4.1: 128; supplement 4 says 192 for the PSNR models",
    "crops.flip": "4.2: horizontal flips and quarter turns",
    "crops.rotate": "4.2",
    "batch": "4.1",
    "stages.pixel.steps": "not stated; the curves of supplement 4 run to 10^6",
    "stages.pixel.losses.pixel.form": "4.1",
    "stages.pixel.optimiser.rate": "4.1",
    "stages.pixel.optimiser.beta2": "4.1; BasicSR has 0.99",
    "stages.pixel.schedule.at": "4.1: halved every 2e5 updates",
    "stages.pixel.ema": "not mentioned",
    "stages.pixel.handover": "not stated; BasicSR's",
    "stages.gan.steps": "not stated ('until converges'); BasicSR's",
    "stages.gan.losses.pixel.weight": "4.1",
    "stages.gan.losses.content.layers": "3.3: VGG19 5,4 before activation",
    "stages.gan.losses.content.form": "not stated; BasicSR's",
    "stages.gan.losses.adversarial.form": "equations 1 and 2",
    "stages.gan.losses.adversarial.weight": "4.1: 5e-3 of a sum of two halves, whose mean we take",
    "stages.gan.optimiser.rate": "4.1",
    "stages.gan.optimiser.beta2": "4.1",
    "stages.gan.discriminator.layout": "3.2: 'VGG-style'; BasicSR's",
    "stages.gan.schedule.at": "4.1: halved at 50k, 100k, 200k, 300k",
    "stages.gan.ema": "not mentioned",
}
