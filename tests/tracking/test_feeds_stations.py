"""Feeds that name the station of a row in its text: Kuaidi100 and KDNiao."""

import pytest
from msgspec import structs

from server.tracking.reading import reply
from tests.tracking.given import read


@pytest.mark.parametrize(
    ("text", "station"),
    [
        ("快件到达【甲市转运中心】", "甲市转运中心"),
        ("【乙市丙区营业部】已装车，准备发往【丁市集散中心】", "乙市丙区营业部"),
        ("快件离开【甲市】，下一站【乙市】", "甲市"),
        ("快件已发往【丁市集散中心】", ""),
        ("下一站：【丁市集散中心】", ""),
        ("【某某速递】快件在途中", ""),
        ("【某某速递有限公司】快件在途中", ""),
        ("快递员【张某某】正在派送", ""),
        ("【张某某，电话13800000000，甲市营业部】正在派送", ""),
        ("快件在途中", ""),
        ("【】中心", ""),
    ],
)
def test_a_row_without_a_place_is_where_its_text_says(text: str, station: str) -> None:
    row = {"time": "2026-03-05 10:12:00", "context": text}
    told = {"nu": "1", "com": "yuantong", "status": "200"}
    (reading,) = read("kuaidi100", {**told, "data": [row]}).readings
    assert (reading.place, reading.station) == ("", station)
    (placed,) = read("kuaidi100", {**told, "data": [{**row, "location": "甲市"}]}).readings
    assert (placed.place, placed.station) == ("甲市", "")
    trace = {"AcceptTime": "2026-03-05 10:12:00", "AcceptStation": text}
    answer = {"LogisticCode": "1", "Success": True, "Traces": [trace]}
    (reading,) = read("kdniao", answer).readings
    assert (reading.place, reading.station) == ("", station)


def test_a_station_in_the_text_is_no_part_of_the_id_of_a_row() -> None:
    row = {"time": "2026-03-05 10:12:00", "context": "快件到达【甲市转运中心】"}
    told = {"nu": "1", "com": "yuantong", "status": "200", "data": [row]}
    (reading,) = read("kuaidi100", told).readings
    bare = structs.replace(reading, station="", source_id="")
    assert reply([bare]).readings[0].source_id == reading.source_id


def test_rows_of_kdniao_need_no_station_where_the_number_has_one() -> None:
    traces = [
        {"AcceptTime": f"2026-03-0{day} 10:12:00", "AcceptStation": "到达【甲市转运中心】"}
        for day in (5, 6)
    ]
    answer = {"LogisticCode": "1", "Success": True, "Station": "甲市中转部", "Traces": traces}
    readings = read("kdniao", answer).readings
    assert [each.station for each in readings] == ["", "甲市中转部"]
