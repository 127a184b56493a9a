"""What can be chosen of an enlargement, apart from its size and its file: everything is here."""

from pydantic import BaseModel, Field

from upres.upscaling.precision import Backend, Precision


class UpscaleSettings(BaseModel, frozen=True, extra="forbid"):
    """How a model is used; whatever changes the pixels of a result, and where it is computed.

    fidelity: 1 is the network trained for PSNR, 0 the one trained on from it against a
        discriminator; between them each weight is interpolated (ESRGAN, section 3.4). None: the
        model as it is named.
    denoise: 1 is realesr-general-x4v3, 0 its twin that leaves noise in; None: the model as named.
    strength: 1 is the network's picture, 0 the plain bicubic one.
    consistent: the result, shrunk, equals the input. keep_colour: its low frequencies are those
        of the input; None: where the model was trained against a discriminator, or by others.
    tta: the mean over the eight flips and turns of the picture.
    backend: openvino computes on the processor alone and needs the extra `export`.
    tile: LR pixels a side, 0 for the whole picture at once, None to choose. exact: tiles overlap
        so far that the result is that of the whole picture. memory: bytes that the process may
        come to hold; None does not look. The command takes a quarter of what is free.
    """

    fidelity: float | None = Field(None, ge=0, le=1)
    denoise: float | None = Field(None, ge=0, le=1)
    strength: float = Field(1.0, ge=0, le=1)
    consistent: bool = False
    keep_colour: bool | None = None
    tta: bool = False
    precision: Precision = "auto"
    device: str = "auto"
    backend: Backend = "torch"
    tile: int | None = Field(None, ge=0)
    exact: bool = False
    memory: int | None = Field(None, gt=0)
