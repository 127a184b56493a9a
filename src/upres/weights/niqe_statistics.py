"""The published statistics that NIQE compares with: an .npz file, read without pickles."""

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from upres.errors import BadWeights
from upres.weights.published import check_sha256, locate

FEATURES = 36
_MEAN, _COVARIANCE = "mu_pris_param", "cov_pris_param"


def load_niqe_statistics(weights_dir: Path | None = None) -> tuple[Tensor, Tensor]:
    """Return the mean (36) and the covariance (36 36) of undamaged photos' features, float64.

    Raises MissingWeights when they are not on this machine, BadWeights when the file is damaged.
    """
    found = locate("niqe", weights_dir)
    check_sha256("niqe", found)
    try:
        with np.load(found.path, allow_pickle=False) as file:
            mean = np.asarray(file[_MEAN], np.float64).reshape(FEATURES)
            covariance = np.asarray(file[_COVARIANCE], np.float64).reshape(FEATURES, FEATURES)
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise BadWeights(
            f"{found.path} holds no statistics of NIQE ({error}), expected {_MEAN} of {FEATURES} "
            f"values and {_COVARIANCE} of {FEATURES}x{FEATURES}: put the published "
            "niqe_pris_params.npz there, or leave that folder away."
        ) from error
    return torch.from_numpy(mean), torch.from_numpy(covariance)
