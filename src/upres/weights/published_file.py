"""One file as its authors publish it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFile:
    """Where it is, what its content must be, and what it may be used for."""

    name: str  # what it is called here
    what: str
    address: str
    sha256: str  # or its first digits, where no more is published
    bytes: int | None  # None: as many as the server says
    licence: str

    @property
    def file_name(self) -> str:
        """Its name in the cache: the published one, led by ours where that says too little."""
        published = self.address.rpartition("/")[2]
        return published if published.startswith(self.name) else f"{self.name}-{published}"
