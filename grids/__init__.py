"""Unit grids and responsibility grids: how the city is cut, numbered and looked up."""
