"""`upres upscale`: enlarge picture files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

# -h as elsewhere in the field; --model_name is --model-name, as Real-ESRGAN writes it
CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": lambda token: token.replace("_", "-"),
}


def upscale(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="IN...", help="Pictures, folders, patterns, or - for standard input."
        ),
    ] = None,
    also_inputs: Annotated[list[Path] | None, typer.Option("--input", "-i", hidden=True)] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder; for one picture a file, or - for standard output. Default: beside "
            "each picture.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            "--model-path",
            help="A shipped or published model, a checkpoint, a run's folder, an ncnn pair, "
            "hf:owner/name. Default: compact-x4; compact-x2 or -x3 where --scale is no more.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--model-name", "-n", hidden=True)] = None,
    scale: Annotated[
        float | None,
        typer.Option(
            "--scale", "-s", "--outscale", help="Times as large, such as 1.5. Default: the model's."
        ),
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", "-w", min=1, help="Pixels; the height follows.")
    ] = None,
    height: Annotated[int | None, typer.Option(min=1, help="Pixels; the width follows.")] = None,
    long_edge: Annotated[int | None, typer.Option(min=1, help="Pixels of the longer side.")] = None,
    fit: Annotated[
        str | None, typer.Option(metavar="WxH", help="The largest size inside, as 3840x2160.")
    ] = None,
    fidelity: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="For models with a GAN twin: 1 is true to the pixels, 0 invents detail.",
        ),
    ] = None,
    denoise: Annotated[
        float | None,
        typer.Option(
            "--denoise-strength",
            "-dn",
            min=0,
            max=1,
            help="For realesr-general-x4v3: 1 removes noise, 0 leaves it.",
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="1: the model's picture, 0: plain bicubic.")
    ] = 1.0,
    consistent: Annotated[
        bool, typer.Option("--consistent", help="The result, shrunk, equals the input.")
    ] = False,
    keep_colour: Annotated[
        bool | None,
        typer.Option(
            "--keep-colour/--no-keep-colour",
            help="No shift of mean colour. Default: yes for models trained against a "
            "discriminator, or by other programs.",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(help="A picture of the input's size: where it is white, plain bicubic stays."),
    ] = None,
    tta: Annotated[
        bool,
        typer.Option("--tta", "-x", help="Average over eight flips and turns; 8 times as long."),
    ] = False,
    ext: Annotated[
        str | None,
        typer.Option(
            "--ext", "-f", "--format", help="png, jpg, webp, avif, heic, tif, gif or auto."
        ),
    ] = None,
    suffix: Annotated[
        str | None, typer.Option(help="Behind each name. Default: the size, as _x4.")
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Of JPEG, WebP, AVIF and HEIC. Default: the format's."),
    ] = None,
    depth: Annotated[
        Literal["auto", "8", "16", "32"],
        typer.Option(help="Bits a channel; 32: floats. auto: those of the input."),
    ] = "auto",
    metadata: Annotated[
        Literal["keep", "colour", "none"],
        typer.Option(help="keep: all, corrected; colour: the profile alone; none."),
    ] = "keep",
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Also the folders in folders; OUT mirrors them.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of the results' names.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="One of N parts of the pictures, for several machines."),
    ] = None,
    ray: Annotated[
        bool,
        typer.Option(
            "--ray", help="By the workers of a Ray cluster, or several here; extra `cluster`."
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="With --ray. Default: one a GPU, or one for two cores."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    gpu: Annotated[str | None, typer.Option("--gpu-id", "-g", hidden=True)] = None,
    precision: Annotated[
        Literal["auto", "float32", "bf16", "fp16"],
        typer.Option(help="auto: bf16 where the device has instructions for it."),
    ] = "auto",
    backend: Annotated[
        Literal["torch", "openvino"],
        typer.Option(help="openvino: on processors only; needs the extra `export`."),
    ] = "torch",
    fp32: Annotated[bool, typer.Option("--fp32", hidden=True)] = False,
    tile: Annotated[
        str | None,
        typer.Option(
            "--tile",
            "-t",
            help="Side of a tile in input pixels; 0: the whole picture at once; auto.",
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Tiles overlap so far that none can be told.")
    ] = False,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="How much may be used, as 2G. Default: a quarter of what is free."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Begin although it seems not to fit.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and what it takes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what happens as JSON, one event a line.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")] = False,
    tile_pad: Annotated[str | None, typer.Option("--tile-pad", hidden=True)] = None,
    pre_pad: Annotated[str | None, typer.Option("--pre-pad", hidden=True)] = None,
    alpha: Annotated[str | None, typer.Option("--alpha-upsampler", hidden=True)] = None,
    jobs: Annotated[str | None, typer.Option("-j", hidden=True)] = None,
    verbose: Annotated[bool, typer.Option("-v", hidden=True)] = False,
    faces: Annotated[bool, typer.Option("--face-enhance", hidden=True)] = False,
) -> None:
    """Enlarge pictures; each result is NAME_x4.EXT unless you name it.

    Depth, channels, frames, transparency, colour profile and metadata are kept. Nothing is
    overwritten unless you say so. The paths of the results are printed, one a line. A folder that
    was interrupted goes on with the same command.
    """
    from upres.batch.jobs import Shard
    from upres.cli import habits
    from upres.cli.upscale_order import carry_out
    from upres.cli.upscale_plan import Manner, Order
    from upres.errors import BadSetting
    from upres.images.saving import SaveSettings
    from upres.upscaling.choosing import default_model
    from upres.upscaling.device import cuda_devices
    from upres.upscaling.memory import parse_memory
    from upres.upscaling.settings import UpscaleSettings
    from upres.upscaling.sizes import SizeWish

    if workers is not None and not ray:
        raise BadSetting(f"--workers {workers} are those of a cluster: add --ray, or leave it out.")
    if faces:
        raise BadSetting("--face-enhance: faces are not restored here; leave it out.")
    words = habits.ignored(
        {
            "--tile-pad": tile_pad,
            "--pre-pad": pre_pad,
            "--alpha-upsampler": alpha,
            "-j": jobs,
            "-v": verbose,
        }
    )
    device, word = habits.gpu(gpu, device, cuda_devices())
    words += [word] if word else []
    order = Order(
        inputs=(*(inputs or ()), *(also_inputs or ())),
        output=output,
        model=habits.which_model(model, name) or default_model(scale, fidelity),
        settings=UpscaleSettings(
            fidelity=fidelity,
            denoise=denoise,
            strength=strength,
            consistent=consistent,
            keep_colour=keep_colour,
            tta=tta,
            precision="float32" if fp32 else precision,
            device=device,
            backend=backend,
            tile=habits.tile(tile),
            exact=exact,
            memory=None if memory is None else parse_memory(memory),
        ),
        wish=SizeWish(scale, width, height, long_edge, habits.size(fit)),
        save=SaveSettings(quality, habits.bits(depth), metadata),
        mask=mask,
        suffix=habits.suffix(suffix),
        ending=habits.ending(ext),
        shard=None if shard is None else Shard.parse(shard),
        recursive=recursive,
        overwrite=overwrite,
    )
    manner = Manner(tuple(words), yes=yes, dry_run=dry_run, as_json=as_json, quiet=quiet)
    if ray:
        from upres.cli.upscale_ray import carry_out_on_ray

        carry_out_on_ray(order, manner, workers)
    else:
        carry_out(order, manner)
