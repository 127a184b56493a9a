"""The devices and processes of a run: what it gets, and what its processes do together."""
