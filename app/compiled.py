"""Compile what is compiled, into the folder `core.kernels` names, so that no click and no test waits for it.

python -m app.compiled      set-up runs it once for each state of the sources
"""

from __future__ import annotations

from dispatch.plan import warm_up
from geodata.travel import compile_all
from planning import search


def main() -> None:
    """Compile the searches; a second where they were compiled before."""
    warm_up()
    compile_all()
    search.warm_up()


if __name__ == "__main__":
    main()
