"""The check of a bicubic row as text: ASCII and Markdown, as the tables of evaluations are."""

from upres.evaluation.reference import Score
from upres.evaluation.self_check import ChainCheck, RowCheck

_HEAD = ("chain", "here", "reference", "as tables print it", "differs from the published row")


def check_text(check: RowCheck) -> str:
    """Return one line a chain, then which chain the published row is."""
    rows = [_HEAD, *(_cells(chain) for chain in check.chains)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(tuple("-" * width for width in widths), widths))
    return "\n".join([_title(check), *lines, _verdict(check)]) + "\n"


def wrong_words(check: RowCheck) -> list[str]:
    """Return a line for each chain that is not what its reference says."""
    return [
        f"{check.dataset} x{check.scale} by {chain.protocol} is {_exact(chain.found)}, not "
        f"{_exact(chain.reference)}"
        for chain in check.chains
        if chain.reference is not None and not chain.agrees
    ]


def _title(check: RowCheck) -> str:
    row = "no published row known" if check.published is None else f"papers: {_printed(check)}"
    return f"{check.dataset} x{check.scale}, bicubic, luma, border {check.scale}; {row}"


def _printed(check: RowCheck) -> str:
    return "" if check.published is None else _as_tables(check.published)


def _cells(chain: ChainCheck) -> tuple[str, ...]:
    known = "-" if chain.reference is None else _exact(chain.reference)
    if not chain.agrees:
        known += " !"
    return (
        chain.protocol,
        _exact(chain.found),
        known,
        _as_tables(chain.found),
        _differences(chain),
    )


def _differences(chain: ChainCheck) -> str:
    if chain.differs is None:
        return "-"
    return ", ".join(chain.differs) if chain.differs else "nowhere"


def _verdict(check: RowCheck) -> str:
    if check.nearest is None:
        return "There is nothing to compare these with."
    if check.printed_by:
        chains = check.printed_by
        names = chains[0] if len(chains) == 1 else f"{', '.join(chains[:-1])} and {chains[-1]}"
        return f"The published row is what {names} print{'s' if len(chains) == 1 else ''}."
    near = check.nearest
    return f"No chain prints the published row; the nearest is {near.protocol}: it differs in " + (
        f"{_differences(near)}."
    )


def _exact(score: Score | None) -> str:
    return "-" if score is None else f"{score.psnr:.4f} / {score.ssim:.5f}"


def _as_tables(score: Score) -> str:
    return f"{score.psnr:.2f} / {score.ssim:.4f}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"
