"""Compile what is compiled, into the folder `core.kernels` names, so that no click and no test waits for it.

python -m app.compiled      set-up runs it once for each state of the sources
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np

from dispatch.plan import warm_up
from geodata.travel import compile_all
from grids.balance import balance
from grids.ground import Ground
from planning import warming


def balance_a_row() -> None:
    """Balance eight cells in a row, which needs every loop of balancing."""
    row = np.arange(8)
    ground = Ground(np.stack([row[:-1], row[1:]], axis=1), np.ones(7), np.stack([row * 100.0, row * 0.0], axis=1))
    balance(ground, np.linspace(1.0, 2.0, 8), 2, metis=False)


def main() -> None:
    """Compile the searches, two at a time; a second where they were compiled before."""
    with ProcessPoolExecutor(2) as pool:
        for each in [pool.submit(work) for work in (warm_up, compile_all, warming.warm_up, balance_a_row)]:
            each.result()


if __name__ == "__main__":
    main()
