"""Everything that touches PostGIS or a geographic file, and nothing that knows a use case."""
