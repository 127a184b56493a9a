"""What the watch's numbers mean, in words: one function a verdict, its limits beside it.

Each rule takes the means of a window of steps and returns None, or a sentence with the numbers that
led to it and the fields of the stage that would change it, the gentlest first. Limits are pairs:
a verdict begins at the first and ends at the second, so that it does not flicker.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from upres.losses.adversarial import ADVERSARIAL_PAIRS
from upres.recipes.schedules import is_zero
from upres.recipes.stages import GanStage, PixelStage
from upres.recipes.terms import weights_of


@dataclass(frozen=True)
class Window:
    """Means over the last steps; None or empty where nothing was measured.

    steps: that the discriminator's numbers reach back; looked_steps: that all others do.
    accuracy, updated and shares are 0..1; gap: mean logit of photos less that of fakes. earlier_*:
    the same number over as many measurements just before the window's.
    """

    steps: int
    looked_steps: int
    loss: float | None = None
    accuracy: float | None = None
    gap: float | None = None
    updated: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    gradient_norm: float | None = None
    ema_distance: float | None = None
    high_frequency: float | None = None
    grid: float | None = None
    earlier_high_frequency: float | None = None
    earlier_grid: float | None = None
    earlier_adversarial: float | None = None

    @property
    def adversarial(self) -> float | None:
        """The adversarial term's share of the gradient."""
        return self.shares.get("adversarial")


class Limit(NamedTuple):
    """Where a verdict begins, and where one that stands ends."""

    begin: float
    end: float

    def now(self, stands: bool) -> float:
        return self.end if stands else self.begin


Finding: TypeAlias = tuple[str, list[str]] | None
Rule: TypeAlias = Callable[[Window, PixelStage | GanStage, bool], Finding]

# Less than 1 % of the judgements are wrong. Photos and crops vary, so a discriminator that still
# has something to learn errs more often; both papers' had won at 1.00.
WON_ACCURACY = Limit(0.99, 0.95)
# At chance it is 1.39 (relativistic 0.69); paper A's fell to 0, paper B's to 0.0001.
WON_LOSS = Limit(0.05, 0.1)
# Accuracy alone is no fault while the generator still feels the discriminator.
WON_SHARE = Limit(0.02, 0.05)
# In 20 lines of 8 + 8 pictures the mean of pure guessing is within 0.03 of a half.
GUESS_ACCURACY = Limit(0.05, 0.1)
# In logits: sigmoid(0.1) is 0.525. Where our `usrgan-small` guessed, it was 0.001 to 0.06.
GUESS_GAP = Limit(0.1, 0.2)
GUESS_SHARE = Limit(0.05, 0.1)
# Pixels and content then have a tenth of the say: textures are free to leave the photo's.
DROWN_SHARE = Limit(0.9, 0.8)
# Below this the weight could as well be 0.
IDLE_SHARE = Limit(0.01, 0.02)
# All others together then have a fiftieth; paper B's content term was 98 % of its loss.
ALONE_SHARE = Limit(0.98, 0.95)
# L1 of weight 1 over n values has the norm 1 / sqrt(n): 4e-4 for 32 patches of 128 pixels.
STILL_NORM = Limit(1e-7, 1e-6)
# Less than 2 % of the steps: it stands outside its band, and the generator learns from a fossil.
REST_UPDATED = Limit(0.02, 0.1)
# More fine detail than photos have is invented. On crops of DIV2K: bicubic 0.02, networks trained
# by L1 0.12, our small GAN 0.26; the photos with noise of 8 / 255 added 1.17.
INVENTED = Limit(1.3, 1.15)
# Against the window before. Single batches of 16 crops differ by about a tenth.
FALLING = Limit(0.8, 0.9)
# Without a pattern batches of 16 crops gave -0.01 to 0.01; a checkerboard of 1 / 255 on a bicubic
# enlargement gives 0.23, a hardly trained network 0.13.
GRID = Limit(0.03, 0.015)
GRID_RISE = 1.3  # times the window before ...
GRID_HIGH = 0.1  # ... or this much, however it came
# Ours were at 0.001 to 0.07 with decays of 0.99 to 0.999.
FAR = Limit(0.2, 0.15)


def discriminator_won(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """It is never wrong, and its loss or its share of the gradient is next to nothing."""
    if not isinstance(stage, GanStage) or window.accuracy is None or window.loss is None:
        return None
    share = window.adversarial
    unfelt = share is not None and share <= WON_SHARE.now(stands)
    if window.accuracy < WON_ACCURACY.now(stands) or (
        window.loss > WON_LOSS.now(stands) and not unfelt
    ):
        return None
    text = f"discriminator has won: accuracy {window.accuracy:.2f}"
    text += f" and loss {window.loss:.2g} for {window.steps} steps{_its_share(share)}"
    term, balance = stage.losses.adversarial, stage.balance
    fields = ["losses.adversarial.form"] if term.form == "saturating" else []
    fields += ["balance.accuracy_band"] if balance.accuracy_band is None else []
    fields += ["balance.r1"] if is_zero(balance.r1) else []
    if is_zero(term.label_smoothing) and ADVERSARIAL_PAIRS[term.form].smooths:
        fields.append("losses.adversarial.label_smoothing")
    if getattr(stage.discriminator, "norm", None) in ("batch", "none"):
        fields.append("discriminator.norm")
    fields.append("discriminator_optimiser.rate")
    return text, fields + (_louder(stage) if unfelt else [])


def discriminator_guesses(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """It tells photos and fakes apart no better than a coin, and hardly pulls."""
    if not isinstance(stage, GanStage) or window.accuracy is None or window.gap is None:
        return None
    share = window.adversarial
    if (
        abs(window.accuracy - 0.5) > GUESS_ACCURACY.now(stands)
        or abs(window.gap) > GUESS_GAP.now(stands)
        or (share is not None and share > GUESS_SHARE.now(stands))
    ):
        return None
    text = f"discriminator only guesses: accuracy {window.accuracy:.2f}, scores of real and fake"
    text += f" {abs(window.gap):.2g} apart for {window.steps} steps{_its_share(share)}"
    balance = stage.balance
    fields = ["balance.accuracy_band"] if balance.accuracy_band is not None else []
    fields += ["discriminator_optimiser.rate", "balance.discriminator_steps"]
    if getattr(stage.discriminator, "norm", None) == "spectral":
        fields.append("discriminator.spectral_gain")
    fields += [f"balance.{name}" for name in ("r1", "r2") if not is_zero(getattr(balance, name))]
    return text, fields


def discriminator_rests(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """Its accuracy stays outside the band, so it does not learn."""
    if not isinstance(stage, GanStage) or window.updated is None or window.accuracy is None:
        return None
    band = stage.balance.accuracy_band
    if band is None or window.updated > REST_UPDATED.now(stands):
        return None
    text = f"discriminator rests: updated in {percent(window.updated)} of {window.steps} steps, "
    text += f"accuracy {window.accuracy:.2f} against a band of {band[0]:g} to {band[1]:g}"
    return text, ["balance.accuracy_band", "discriminator_optimiser.rate"]


def adversarial_drowns(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """Nearly all of the generator's gradient is the discriminator's."""
    share = window.adversarial
    if not isinstance(stage, GanStage) or share is None or len(window.shares) < 2:
        return None
    if share < DROWN_SHARE.now(stands):
        return None
    others = [f"losses.{name}.weight" for name in window.shares if name != "adversarial"]
    adaptive = [] if stage.balance.adaptive else ["balance.adaptive"]
    text = f"adversarial term drowns the others: {percent(share)} of the gradient"
    return _lasting(text, window), ["losses.adversarial.weight", *adaptive, *others]


def adversarial_idle(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """The discriminator has an opinion, but no weight."""
    share = window.adversarial
    if not isinstance(stage, GanStage) or share is None or len(window.shares) < 2:
        return None
    if share > IDLE_SHARE.now(stands):
        return None
    # Not before two windows: it may be the first sign of a discriminator that wins or guesses.
    before = window.earlier_adversarial
    if not stands and (before is None or before > IDLE_SHARE.begin):
        return None
    text = f"adversarial term hardly moves the generator: {percent(share)} of the gradient"
    saturating = stage.losses.adversarial.form == "saturating"
    fields = ["losses.adversarial.form"] if saturating else []
    return _lasting(text, window), fields + _louder(stage)


def one_term(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """One term other than the adversarial one has nearly all of the gradient."""
    if len(window.shares) < 2:
        return None
    name, share = max(window.shares.items(), key=lambda item: item[1])
    if name == "adversarial" or share < ALONE_SHARE.now(stands):
        return None
    rest = {other: value for other, value in window.shares.items() if other != name}
    told = ", ".join(f"{other} {percent(value)}" for other, value in rest.items())
    text = f"one term does it all: {name} {percent(share)} of the gradient, {told}"
    fields = [f"losses.{name}.weight", *(f"losses.{other}.weight" for other in rest)]
    if isinstance(stage, GanStage) and "adversarial" in rest and not stage.balance.adaptive:
        fields.append("balance.adaptive")
    return _lasting(text, window), fields


def generator_still(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """The gradient at the generator's output is next to nothing."""
    if window.gradient_norm is None or window.gradient_norm > STILL_NORM.now(stands):
        return None
    text = f"no term moves the generator: gradient at its output {window.gradient_norm:.1g}"
    saturating = isinstance(stage, GanStage) and stage.losses.adversarial.form == "saturating"
    fields = ["losses.adversarial.form"] if saturating else []
    acting = [f"losses.{name}.weight" for name, _ in weights_of(stage.losses)]
    return _lasting(text, window), fields + acting


def detail_invented(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """Generated pictures have more fine detail than the photos."""
    energy = window.high_frequency
    if energy is None or energy < INVENTED.now(stands):
        return None
    text = f"fine detail is invented: {energy:.2f} times the originals' energy"
    return _lasting(text, window), _quieter(stage)


def detail_falling(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """A stage that is there to add detail loses it."""
    now, before = window.high_frequency, window.earlier_high_frequency
    if not isinstance(stage, GanStage) or now is None or before is None or now >= 1:
        return None
    if now > FALLING.now(stands) * before:
        return None
    text = f"fine detail is falling: {now:.2f} of the originals' energy, {before:.2f} before"
    return _lasting(text, window), [*_louder(stage), "losses.pixel.weight", "optimiser.rate"]


def grid_rising(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """Generated pictures repeat something at every LR pixel."""
    now, before = window.grid, window.earlier_grid
    if now is None or now < GRID.now(stands):
        return None
    rises = before is not None and now >= GRID_RISE * before
    if not (stands or rises or now >= GRID_HIGH):
        return None
    text = f"checkerboard energy {'rising' if rises else 'high'}: {percent(now)} of the fine "
    text += "detail repeats with the LR grid"
    text += "" if before is None else f", {percent(max(0.0, before))} before"
    fields = _quieter(stage)
    if isinstance(stage, GanStage) and not is_zero(stage.losses.content.weight):
        fields = ["losses.content.jitter", *fields] if stage.losses.content.jitter == 1 else fields
    return _lasting(text, window), fields


def average_far(window: Window, stage: PixelStage | GanStage, stands: bool) -> Finding:
    """The averaged weights, which are judged and handed over, lag far behind."""
    distance = window.ema_distance
    if distance is None or distance < FAR.now(stands):
        return None
    text = f"average is far from the network it averages: {percent(distance)} of its weights' norm"
    return _lasting(text, window), ["ema", "optimiser.rate"]


RULES: Mapping[str, Rule] = {
    "discriminator-won": discriminator_won,
    "discriminator-guesses": discriminator_guesses,
    "discriminator-rests": discriminator_rests,
    "adversarial-drowns": adversarial_drowns,
    "adversarial-idle": adversarial_idle,
    "one-term": one_term,
    "generator-still": generator_still,
    "detail-invented": detail_invented,
    "detail-falling": detail_falling,
    "grid": grid_rising,
    "average-far": average_far,
}
# What another verdict already tells, with its cause.
IMPLIED: Mapping[str, tuple[str, ...]] = {
    "adversarial-idle": ("discriminator-won", "discriminator-guesses", "one-term"),
}


def percent(share: float) -> str:
    """Return a share as people write it: 0.003 as "0.3 %"."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 or share > 0.99 else f"{100 * share:.0f} %"


def _its_share(share: float | None) -> str:
    return "" if share is None else f", adversarial share of the gradient {percent(share)}"


def _lasting(text: str, window: Window) -> str:
    return f"{text} (mean of {window.looked_steps} steps)"


def _louder(stage: GanStage) -> list[str]:
    """What gives the adversarial term more weight."""
    adaptive = [] if stage.balance.adaptive else ["balance.adaptive"]
    return [*adaptive, "losses.adversarial.weight"]


def _quieter(stage: PixelStage | GanStage) -> list[str]:
    """What makes a generator invent less."""
    if isinstance(stage, GanStage):
        return ["losses.adversarial.weight", "losses.pixel.weight"]
    return ["optimiser.rate", *(["ema"] if stage.ema is None else [])]
