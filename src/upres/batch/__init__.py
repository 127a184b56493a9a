"""Many picture files, one after another: what to do, what was done, folders and clusters."""
