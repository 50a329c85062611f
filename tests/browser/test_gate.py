"""A clerk of a department, who knows no map program, gets a file in, sees how it was read and mends what waits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from geodata.embedded import OWNER, Cluster
from tests.browser.conftest import PATIENCE_MS, Served, enter, stands
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def work(served: Served, cluster: Cluster, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The jobs process of the served city."""
    name = served.database.partition("?")[0].rsplit("/", 1)[-1]
    environment = os.environ | {
        "GRIDKEEPER_DATABASE_URL": served.database,
        "GRIDKEEPER_OWNER_DATABASE_URL": cluster.url(OWNER, name),
    }
    command = [sys.executable, "-m", "app.cli", "jobs", "run"]
    with (tmp_path / "jobs.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        yield process
        process.terminate()
        process.wait(timeout=60)


def lamps(served: Served, path: Path) -> Path:
    """A file as an office keeps it: a title above, Chinese letters of old, a telephone, and one cell in words."""
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        lon, lat = connection.execute(
            text("SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_PointOnSurface(geom) AS c FROM unit_grid LIMIT 1) AS g")
        ).one()
    engine.dispose()
    rows = [
        f"D{n:03d},{n}号路灯,{60 if n != 7 else '六十'},2024年3月{n}日,1380000{n:04d},{lon},{lat}" for n in range(1, 21)
    ]
    content = "\r\n".join(["路灯登记表", "编号,名称,功率,安装日期,联系电话,经度,纬度", *rows])
    path.write_bytes(content.encode("gbk"))
    return path


def test_a_clerk_brings_a_file_in_and_mends_what_waits(
    page: Page, served: Served, work: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert work.poll() is None
    page.set_default_timeout(PATIENCE_MS)
    enter(page, served, "handler")
    page.goto(f"{served.url}/bring-in")
    page.locator("input[type=file]").wait_for(state="attached")
    stands(page)
    page.locator("input[type=file]").set_input_files(lamps(served, tmp_path / "street-lights.csv"))
    expect(page.get_by_role("heading", name="So it was understood")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("GB18030").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("left out: about a person").first).to_be_visible(timeout=PATIENCE_MS)
    stands(page)
    page.get_by_role("button", name="Bring it in", exact=True).click()
    expect(page.get_by_role("heading", name="Brought in: ")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("a", has_text="In quarantine").click()
    expect(page.get_by_text("功率 has to be a whole number").first).to_be_visible(timeout=PATIENCE_MS)
    stands(page)
    page.get_by_label("功率").fill("60")
    page.get_by_role("button", name="Bring it in again").click()
    expect(page.get_by_text("Row 7 is in.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Nothing waits.")).to_be_visible(timeout=PATIENCE_MS)
