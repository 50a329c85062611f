"""``python -m app.cli``: the same as the command ``gridkeeper``."""

from app.cli import main

main()
