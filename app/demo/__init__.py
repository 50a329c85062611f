"""The demo city: a real territory, fictional offices and people, a simulated year of incidents."""
