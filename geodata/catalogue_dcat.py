"""The catalogue as DCAT-AP in JSON-LD, for the catalogues of others; pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from geodata.catalogue_model import Entry
from geodata.giving import FORMATS

CONTEXT: Mapping[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "locn": "http://www.w3.org/ns/locn#",
    "prov": "http://www.w3.org/ns/prov#",
    "adms": "http://www.w3.org/ns/adms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
}
_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
RIGHTS = {"public": "PUBLIC", "internal": "NON_PUBLIC", "restricted": "RESTRICTED"}
_FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
FREQUENCIES = {
    "once": "NEVER", "continuous": "CONT", "daily": "DAILY", "weekly": "WEEKLY", "monthly": "MONTHLY",
    "quarterly": "QUARTERLY", "yearly": "ANNUAL", "irregular": "IRREG",
}  # fmt: skip
_FILE = "http://publications.europa.eu/resource/authority/file-type/"
FILE_TYPES = {"csv": "CSV", "geojson": "GEOJSON", "gpkg": "GPKG", "parquet": "PARQUET"}
_MEDIA = "https://www.iana.org/assignments/media-types/"
ODBL = "http://publications.europa.eu/resource/authority/licence/ODC_BL"


def document(entries: Iterable[Entry], *, base: str, publisher: str, at: dt.datetime) -> dict[str, Any]:
    """Return the catalogue as one JSON-LD document; ``base`` is the platform's address without a slash at the end."""
    base = base.rstrip("/")
    agent = {"@type": "foaf:Agent", "foaf:name": publisher}
    known = list(entries)
    return {
        "@context": dict(CONTEXT),
        "@id": f"{base}/catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _both(f"{publisher}: data of the city", f"{publisher}：城市数据目录"),
        "dct:description": _both(
            "What data there are, whose, how fresh, and how to get them.", "现有数据及其归属、更新情况与获取方式。"
        ),
        "dct:publisher": agent,
        "dct:modified": {"@value": at.isoformat(), "@type": "xsd:dateTime"},
        "dct:language": [
            _id("http://publications.europa.eu/resource/authority/language/" + each) for each in ("ENG", "ZHO")
        ],
        "dcat:dataset": [_data_set(each, base, agent) for each in known],
        "dcat:service": {
            "@id": f"{base}/ogc",
            "@type": "dcat:DataService",
            "dct:title": _both("OGC API – Features and Tiles", "OGC API 要素与瓦片"),
            "dcat:endpointURL": _id(f"{base}/ogc"),
            "dcat:endpointDescription": _id(f"{base}/ogc/api"),
            "dcat:servesDataset": [_id(_address(each, base)) for each in known if each.readable],
        },
    }


def _id(address: str) -> dict[str, str]:
    return {"@id": address}


def _address(one: Entry, base: str) -> str:
    return f"{base}/catalogue?entry={one.key}"


def _both(english: str, chinese: str) -> list[dict[str, str]]:
    told = [{"@value": english, "@language": "en"}] if english else []
    return told + ([{"@value": chinese, "@language": "zh"}] if chinese else [])


def _data_set(one: Entry, base: str, agent: Mapping[str, Any]) -> dict[str, Any]:
    offer = one.offer
    told: dict[str, Any] = {
        "@id": _address(one, base),
        "@type": "dcat:Dataset",
        "dct:identifier": one.key,
        "dct:title": _both(offer.title_en, offer.title_zh),
        # The standard wants a description; where nobody wrote one, the title is all there is.
        "dct:description": _both(offer.about_en, offer.about_zh) or _both(offer.title_en, offer.title_zh),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": one.owner} if one.owner else dict(agent),
        "dct:accessRights": _id(_RIGHTS + RIGHTS[offer.sensitivity]),
        "dct:accrualPeriodicity": _id(_FREQUENCY + FREQUENCIES[one.rhythm]),
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:fn": one.steward or "Data steward"},
    }
    if one.updated_at is not None:
        told["dct:modified"] = {"@value": one.updated_at.isoformat(), "@type": "xsd:dateTime"}
    if one.bounds is not None:
        told["dct:spatial"] = {"@type": "dct:Location", "dcat:bbox": _box(one.bounds)}
    if any(one.period):
        start, end = one.period
        told["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            **({"dcat:startDate": {"@value": start.isoformat(), "@type": "xsd:dateTime"}} if start else {}),
            **({"dcat:endDate": {"@value": end.isoformat(), "@type": "xsd:dateTime"}} if end else {}),
        }
    if one.lineage:
        names = ", ".join(str(each.get("file", "")) for each in one.lineage)
        told["dct:provenance"] = {"@type": "dct:ProvenanceStatement", "dct:description": f"Loaded from: {names}"}
    if one.readable:
        told["dcat:distribution"] = list(_distributions(one, base))
    return told


def _box(bounds: tuple[float, float, float, float]) -> dict[str, str]:
    west, south, east, north = bounds
    ring = f"POLYGON(({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))"
    return {"@value": ring, "@type": "geo:wktLiteral"}


def _distributions(one: Entry, base: str) -> Iterable[dict[str, Any]]:
    licence = (
        _id(ODBL) if one.licence.startswith("ODbL") else {"@type": "dct:LicenseDocument", "dct:title": one.licence}
    )
    for form, (media_type, _) in FORMATS.items():
        if form in {"geojson", "gpkg"} and not one.offer.geometry:
            continue
        yield {
            "@type": "dcat:Distribution",
            "dcat:accessURL": _id(_address(one, base)),
            "dcat:downloadURL": _id(f"{base}/api/export/{one.key}.{form}"),
            "dct:format": _id(_FILE + FILE_TYPES[form]),
            "dcat:mediaType": _id(_MEDIA + media_type.partition(";")[0]),
            **({"dct:license": licence} if one.licence else {}),
        }
    yield {
        "@type": "dcat:Distribution",
        "dcat:accessURL": _id(f"{base}/ogc/collections/{one.key}"),
        "dcat:accessService": _id(f"{base}/ogc"),
        "dct:format": _id(_FILE + "GEOJSON"),
        **({"dct:license": licence} if one.licence else {}),
    }


def as_text(told: Mapping[str, Any]) -> str:
    """Return the document as text."""
    return json.dumps(told, ensure_ascii=False, indent=1)
