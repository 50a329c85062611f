"""Everything that touches PostGIS or a geographic file, and nothing that knows a use case."""

import os

# GDAL knows a format by its content, whatever the file is called, and some formats only point at other
# files, addresses or commands: a boundary from a stranger could read our files. GDAL looks at this once,
# when pyogrio is imported, which happens after this package is.
os.environ["GDAL_SKIP"] = (
    "OGR_VRT,GDALG,HTTP,WFS,OAPIF,OGCAPI,CSW,EEDA,PLSCENES,Carto,AmigoCloud,Elasticsearch,NGW,ADBC"
)
# A GML names the address of its schema, a GeoJSON that of its coordinate system, and GDAL would ask there from
# inside our network. It is told not to, and what it asks all the same goes to a port where nobody listens.
os.environ["GML_DOWNLOAD_SCHEMA"] = "NO"
os.environ["GDAL_HTTP_PROXY"] = os.environ["GDAL_HTTPS_PROXY"] = "http://127.0.0.1:1"
# Names that the machine reaches without its proxy would be asked directly all the same. Nothing of ours asks through a
# proxy, so nobody misses the list.
if os.environ.get("no_proxy") or os.environ.get("NO_PROXY"):
    os.environ["no_proxy"] = "nobody.invalid"
