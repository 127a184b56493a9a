"""What is known of a metric: what it says, its direction and range, what it is blind to."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric as people must read it."""

    name: str
    label: str
    higher: bool | None  # is more better; None: best at `ideal`
    ideal: float  # what an SR equal to its HR has (NIQE, which knows no HR: the best there is)
    low: float = 0.0  # a value outside low..high is a mistake and raises
    high: float = math.inf
    digits: int = 4
    unit: str = ""
    what: str
    blind_to: str
    source: str
    spaces: bool = False  # measured in the protocol's space, which then stands behind the name
    least_side: int = 1  # HR pixels, after any border
    weights: tuple[str, ...] = ()  # published weights that it needs

    @property
    def direction(self) -> str:
        """Which values are the better ones, in words."""
        if self.higher is None:
            return f"best at {self.ideal:g}"
        return "higher is better" if self.higher else "lower is better"

    @property
    def arrow(self) -> str:
        """The same as a sign."""
        return {True: "↑", False: "↓", None: f"→{self.ideal:g}"}[self.higher]

    @property
    def range(self) -> str:
        """Which values it can have: `0..1`, `0 and more`, `any`."""
        if math.isinf(self.high):
            return "any" if math.isinf(self.low) else f"{self.low:g} and more"
        return f"{self.low:g}..{self.high:g}"
