"""Which metric heads a comparison: never one that any of the models learnt by."""

from collections.abc import Sequence

from upres.evaluation.judge import Row

# What people see comes first; where none of these was measured, closeness of pixels.
PREFERENCE = (
    "lpips_alex",
    "dists",
    "lpips_vgg",
    "psnr_y",
    "psnr_rgb",
    "ssim_y",
    "ssim_rgb",
    "ms_ssim_y",
    "ms_ssim_rgb",
)


def headline(rows: Sequence[Row]) -> str | None:
    """Return the first of PREFERENCE that every row has and none was trained on, or None."""
    for key in PREFERENCE:
        if rows and all(key in row.metrics and not was_trained_on(row, key) for row in rows):
            return key
    return None


def was_trained_on(row: Row, key: str) -> bool:
    """Return whether the metric `key`, as rows name it, was among the losses of the row's model.

    `psnr` covers psnr_y and psnr_rgb, `ssim` all its dialects, `vgg19` the distances at all of
    its layers.
    """
    return any(key == learnt or key.startswith(f"{learnt}_") for learnt in row.trained_on)
