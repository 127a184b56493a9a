"""An evaluation kept in a folder: its numbers, and every row's pictures as they are made.

FOLDER/evaluation.json                      what `upres report` reads
FOLDER/pictures/DATASET/ROW/NAME.png        also with HR and LR in the place of ROW
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from upres.atomic import refuse_target, write_text
from upres.errors import BadSetting
from upres.evaluation.candidates import Candidate
from upres.evaluation.judge import Evaluation, JudgedPair
from upres.evaluation.protocols import Protocol
from upres.report.pictures import HR, LR, Pixels, save_side

EVALUATION = "evaluation.json"
PICTURES = "pictures"


def refuse_folder(folder: Path, rows: Sequence[str], protocol: Protocol, scale: int) -> None:
    """Raise BadSetting where `folder` holds another evaluation, or a row cannot have its name.

    The same rows by the same protocol are written again. Raises NoSpace where nothing can be.
    """
    for name in (HR, LR):
        if name in rows:
            raise BadSetting(f"no row can be called {name} where pictures are saved: rename it.")
    kept = folder / EVALUATION
    refuse_target(kept)
    if not kept.exists():
        return
    try:
        known = Evaluation.model_validate_json(kept.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadSetting(f"{kept} is no evaluation; give --save another folder.") from error
    here = [row.model for row in known.rows]
    if (known.protocol, known.scale, here) != (protocol.name, scale, list(rows)):
        raise BadSetting(
            f"{folder} holds an evaluation of {', '.join(here)} by {known.protocol} "
            f"x{known.scale}; give --save another folder."
        )


def save_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write the numbers. Raises NoSpace."""
    write_text(folder / EVALUATION, evaluation.model_dump_json(indent=2) + "\n")


def picture_saver(
    folder: Path, dataset: str, names: Sequence[str]
) -> Callable[[Candidate, JudgedPair, Pixels], None]:
    """Return what writes one SR picture, and the first time also its HR and LR.

    names: of all pictures. A file is called as its picture without ending, unless two would be
    called alike. Luma alone is written as grey.
    """
    stems = Counter(Path(name).stem for name in names)
    place = folder / PICTURES / dataset
    written: set[str] = set()

    def save(candidate: Candidate, pair: JudgedPair, sr: Pixels) -> None:
        stem = Path(pair.name).stem
        name = stem if stems[stem] == 1 else pair.name
        if name not in written:
            save_side(place, HR, name, pair.hr)
            save_side(place, LR, name, pair.lr)
            written.add(name)
        rgb = np.broadcast_to(sr[..., None], (*sr.shape, 3)) if sr.ndim == 2 else sr
        save_side(place, candidate.name, name, rgb)

    return save
