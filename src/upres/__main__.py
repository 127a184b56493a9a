"""`python -m upres` is `upres`."""

from upres.cli.main import main

main()
