"""``python -m hominis``."""

from hominis.cli import main

main()
