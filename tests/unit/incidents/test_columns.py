"""Which column means what."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from incidents.columns import choose_columns

TORONTO = [
    "occurrencedate",
    "occurrencehour",
    "premises_type",
    "MCI",
    "Neighbourhood",
    "occurrenceday",
    "Pub_Id",
    "Park_Id",
    "Lat",
    "Long",
]
SAN_FRANCISCO = [
    "IncidntNum",
    "Category",
    "Descript",
    "DayOfWeek",
    "Date",
    "Time",
    "PdDistrict",
    "Resolution",
    "Location",
    "lon",
    "lat",
]
NEW_YORK = [
    "Unique Key",
    "Created Date",
    "Closed Date",
    "Complaint Type",
    "Descriptor",
    "Incident Address",
    "Street Name",
    "Status",
    "Due Date",
    "School Phone Number",
    "Latitude",
    "Longitude",
    "Location",
]
CHINESE = [
    "案件编号",
    "上报时间",
    "大类",
    "小类",
    "经度",
    "纬度",
    "详细地址",
    "问题描述",
    "上报人",
    "联系电话",
    "案件状态",
    "结案时间",
]


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (
            TORONTO,
            {"time": "occurrencedate", "hour": "occurrencehour", "class": "MCI", "place": "Neighbourhood"}
            | {"lon": "Long", "lat": "Lat"},
        ),
        (
            SAN_FRANCISCO,
            {"id": "IncidntNum", "time": "Date", "clock": "Time", "class": "Category", "place": "Location"}
            | {"lon": "lon", "lat": "lat"},
        ),
        (
            NEW_YORK,
            {"id": "Unique Key", "time": "Created Date", "closed": "Closed Date", "class": "Complaint Type"}
            | {
                "place": "Incident Address",
                "status": "Status",
                "due": "Due Date",
                "lon": "Longitude",
                "lat": "Latitude",
            },
        ),
        (
            CHINESE,
            {"id": "案件编号", "time": "上报时间", "class": "小类", "lon": "经度", "lat": "纬度", "place": "详细地址"}
            | {"status": "案件状态", "closed": "结案时间"},
        ),
    ],
    ids=["Toronto", "San Francisco", "New York", "Chinese"],
)
def test_known_layouts_are_recognised(headings: list[str], expected: dict[str, str]) -> None:
    assert choose_columns(headings, {}, file="f.csv").by_role == expected


def test_free_text_and_columns_about_persons_are_known() -> None:
    columns = choose_columns(CHINESE, {}, file="f.csv")
    assert columns.notes == ("问题描述",)
    assert columns.left_out == ("上报人", "联系电话")
    assert columns.shown["note"] == "问题描述"


def test_capitals_spaces_and_full_width_letters_do_not_matter() -> None:
    columns = choose_columns(["\ufeffＬＯＮ", "LAT itude", "reported_AT", "Class"], {}, file="f.csv")
    assert set(columns.by_role) == {"lon", "lat", "time", "class"}


def test_a_named_column_goes_before_a_known_one() -> None:
    columns = choose_columns(["lon", "lat", "date", "type", "kind"], {"class": "kind"}, file="f.csv")
    assert columns.by_role["class"] == "kind"


def test_a_dash_says_that_there_is_no_such_column() -> None:
    headings = ["id", "lon", "lat", "date", "type"]
    assert "id" not in choose_columns(headings, {"id": "-"}, file="f.csv").by_role


def test_a_time_of_day_alone_can_be_the_time() -> None:
    assert choose_columns(["lon", "lat", "time", "type"], {}, file="f.csv").by_role["time"] == "time"


def test_missing_columns_are_all_named_with_the_way_out() -> None:
    with pytest.raises(InvalidInput) as refused:
        choose_columns(["a", "b", "date"], {}, file="f.csv")
    text = str(refused.value)
    assert "f.csv" in text
    assert "the class and the longitude and the latitude" in text
    assert "--class-column and --lon-column and --lat-column" in text


def test_a_misspelt_name_gets_a_suggestion() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'longitude'"):
        choose_columns(["longitude", "lat", "date", "class"], {"lon": "longtude"}, file="f.csv")


def test_points_of_a_map_file_need_no_columns_of_coordinates() -> None:
    assert "lon" not in choose_columns(["date", "class"], {}, file="f.geojson", has_geometry=True).by_role
