"""Words that stand in addresses: kinds of street in four languages, how they are shortened, numbers, crossings."""

from __future__ import annotations

from typing import Final

LAST: Final = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "dr": "drive",
    "ct": "court", "crt": "court", "sq": "square", "pl": "place", "blvd": "boulevard", "bvd": "boulevard",
    "hwy": "highway", "cres": "crescent", "cr": "crescent", "gdns": "gardens", "gdn": "gardens", "ter": "terrace",
    "terr": "terrace", "tce": "terrace", "cl": "close", "pk": "park", "pde": "parade", "gr": "grove", "gro": "grove",
    "wy": "way", "pkwy": "parkway", "rdwy": "roadway", "cswy": "causeway", "mws": "mews", "wlk": "walk",
    "n": "north", "s": "south", "e": "east", "w": "west",
}  # fmt: skip
"""Shortened words at the end of a street's name."""
FIRST: Final = {
    "st": "saint", "r": "rua", "av": "avenida", "avda": "avenida", "ave": "avenida", "trav": "transversal",
    "travessa": "transversal", "tv": "transversal", "transv": "transversal", "tr": "transversal", "pca": "praca",
    "pc": "praca", "plaza": "praca", "pza": "praca", "rod": "rodovia", "estr": "estrada", "al": "alameda",
    "lgo": "largo", "c": "calle", "cl": "calle", "cll": "calle", "cra": "carrera", "kr": "carrera", "kra": "carrera",
    "cr": "carrera", "carr": "carrera", "dg": "diagonal", "diag": "diagonal", "pje": "pasaje", "psje": "pasaje",
    "n": "north", "s": "south", "e": "east", "w": "west",
}  # fmt: skip
"""Shortened words at its beginning."""
INNER: Final = {
    "dr": "doutor", "dra": "doutora", "prof": "professor", "profa": "professora", "gen": "general", "gal": "general",
    "cel": "coronel", "cnel": "coronel", "cap": "capitao", "sto": "santo", "sta": "santa", "sgt": "sargento",
    "mal": "marechal", "pres": "presidente", "eng": "engenheiro", "mt": "mount", "nsa": "nossa", "sra": "senhora",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "1st": "1", "2nd": "2", "3rd": "3",
}  # fmt: skip
"""Shortened words anywhere."""
KINDS: Final = {
    "street": "street", "road": "road", "avenue": "avenue", "lane": "lane", "drive": "drive", "court": "court",
    "square": "square", "place": "place", "boulevard": "boulevard", "highway": "highway", "crescent": "crescent",
    "gardens": "gardens", "terrace": "terrace", "close": "close", "parade": "parade", "grove": "grove", "way": "way",
    "mews": "mews", "walk": "walk", "hill": "hill", "rise": "rise", "row": "row", "path": "path", "alley": "lane",
    "parkway": "parkway", "causeway": "causeway", "esplanade": "esplanade",
    "rua": "street", "avenida": "avenue", "transversal": "transversal", "praca": "square", "rodovia": "highway",
    "estrada": "road", "alameda": "alameda", "largo": "square", "calle": "street", "carrera": "carrera",
    "diagonal": "diagonal", "pasaje": "lane", "camino": "road", "paseo": "walk", "beco": "lane", "viela": "lane",
    "lu": "road", "jie": "street", "dajie": "street", "dadao": "avenue", "xiang": "lane", "hutong": "hutong",
    "nong": "nong", "li": "li", "gonglu": "highway",
}  # fmt: skip
"""What kind of street a word says, whatever the language: 路, lu and road are one kind."""
LEADING: Final = frozenset(
    [
        "rua",
        "avenida",
        "transversal",
        "praca",
        "rodovia",
        "estrada",
        "alameda",
        "largo",
        "calle",
        "carrera",
        "diagonal",
        "pasaje",
        "camino",
        "paseo",
        "beco",
        "viela",
    ]
)
"""Kinds that stand before the name."""
PARTICLES: Final = frozenset(
    ["the", "of", "de", "da", "do", "das", "dos", "e", "del", "la", "las", "los", "el", "y", "du", "des"]
)
"""Words that are left out as often as not."""
CHINESE_KINDS: Final = {
    "大道": "avenue", "大街": "street", "公路": "highway", "胡同": "hutong", "路": "road", "街": "street",
    "巷": "lane", "弄": "nong", "道": "avenue", "里": "li",
}  # fmt: skip
"""The same in Chinese, the longest first."""
UNITS: Final = frozenset(
    [
        "flat",
        "apt",
        "apartment",
        "unit",
        "suite",
        "room",
        "floor",
        "shop",
        "no",
        "number",
        "nr",
        "num",
        "apto",
        "sala",
        "loja",
        "bloco",
    ]
)
"""Words before a number that is inside a house, or the house number itself."""
DIGITS: Final = {each: place for place, each in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
