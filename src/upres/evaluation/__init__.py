"""Named protocols, models times pictures to rows, tables."""
