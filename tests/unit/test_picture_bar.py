"""The bar of `upres upscale`: how far it is, and the time left."""

from pathlib import Path

from upres.batch.events import Planned, Progressed
from upres.batch.jobs import Job
from upres.cli.picture_bar import telling

JOB = Job(Path("a.png"), Path("b.png"))


def test_the_time_left_is_told_also_where_a_tile_takes_a_minute(monkeypatch, capsys):
    """One of four tiles a minute: two minutes are left after the second."""
    now = [0.0]
    monkeypatch.setattr("rich.console.monotonic", lambda: now[0])
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    with telling(as_json=False, quiet=False) as tell:
        tell(Planned(1))
        for tiles in (0, 1, 2):
            now[0] = 60.0 * tiles
            tell(Progressed(JOB, tiles, 4))
    shown = capsys.readouterr().err
    assert "a.png" in shown and "50% 0:02:00" in shown, shown
