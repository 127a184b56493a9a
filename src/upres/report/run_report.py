"""What a finished run says of itself: its stages judged on photos that it never saw, one page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from upres.atomic import write_text
from upres.data.stores import AnyStore
from upres.evaluation.candidates import Candidate, compare, resolve_rows
from upres.evaluation.judge import Evaluation, JudgedPair, Pixels
from upres.evaluation.measures import measures_for
from upres.evaluation.protocols import Protocol, get_protocol, make_lr
from upres.networks.lpips import LPIPS
from upres.recipes import sources_of
from upres.recipes.schema import Recipe
from upres.recipes.text import to_yaml
from upres.report.page import write_report
from upres.report.pictures import ReportPicture, save_pictures
from upres.report.run_log import read_run_log
from upres.training.validation import centre

JUDGED_SIDE = 512  # HR px: the central part of larger photos
JUDGED = 100  # photos at most, spread over all of the side
SHOWN = 6  # pictures


def finish_run(
    folder: Path, recipe: Recipe, store: AnyStore, *, lpips: LPIPS | None, page: bool = True
) -> Evaluation:
    """Judge bicubic and every stage of a run; write evaluation.json, pictures and report.html.

    The store's test photos are used, or its validation parts where it has too few photos for a
    test side; the dataset's name says which. page: whether report.html is written, for which
    `report.page.missing_package` must be None.
    """
    protocol = get_protocol(recipe.validation.protocol)
    split, pairs = held_out(store, protocol, recipe.scale)
    rows, _ = resolve_rows(["bicubic", *(str(folder / name) for name in recipe.stages)], None)
    named = [replace(row, name=Path(row.name).name) for row in rows]
    result, pictures = judge_and_show(
        named, pairs, protocol, scale=recipe.scale, dataset=split, lpips=lpips
    )
    write_text(folder / "evaluation.json", result.model_dump_json(indent=2) + "\n")
    save_pictures(folder / "pictures", pictures)
    if not page:
        return result
    write_report(
        folder / "report.html",
        title=f"{recipe.name}: {folder.name}",
        evaluation=result,
        pictures=pictures,
        runs=[read_run_log(folder)],
        recipe_yaml=to_yaml(recipe, sources_of(recipe)),
        notes=[
            f"Judged on the central {JUDGED_SIDE} pixels of {len(pairs)} photos of the store's "
            f"{split} side, which training never saw."
        ],
    )
    return result


def judge_and_show(
    candidates: Sequence[Candidate],
    pairs: Sequence[JudgedPair],
    protocol: Protocol,
    *,
    scale: int,
    dataset: str,
    lpips: LPIPS | None,
    seen: Callable[[], None] = lambda: None,
) -> tuple[Evaluation, list[ReportPicture]]:
    """Return the scores of all candidates, and the first pictures as all of them show them."""
    shown: dict[str, dict[str, Pixels]] = {pair.name: {} for pair in pairs[:SHOWN]}

    def keep(candidate: Candidate, pair: JudgedPair, sr: Pixels) -> None:
        if pair.name in shown:
            shown[pair.name][candidate.name] = sr
        seen()

    networks = {} if lpips is None else {"lpips_alex": lpips}
    result = compare(
        candidates,
        pairs,
        protocol,
        scale=scale,
        dataset=dataset,
        measures=measures_for(["psnr", "ssim", *networks], protocol, networks),
        seen=keep,
    )
    pictures = [
        ReportPicture(pair.name, pair.hr, shown[pair.name], dataset, pair.lr)
        for pair in pairs[:SHOWN]
    ]
    return result, pictures


def held_out(store: AnyStore, protocol: Protocol, scale: int) -> tuple[str, list[JudgedPair]]:
    """Return the side of the store that runs are judged on, and its pictures' central parts."""
    pictures, split = store.pictures("test"), "test"
    if not pictures:
        pictures, split = store.pictures("validation"), "validation"
    count = min(JUDGED, len(pictures))
    return split, [
        JudgedPair(pair.name, make_lr(hr, protocol, scale), hr)
        for pair in (pictures[place * len(pictures) // count] for place in range(count))
        for hr in [centre(pair.hr, JUDGED_SIDE, scale)]
        if min(hr.shape[:2]) >= protocol.least_side(scale)
    ]
