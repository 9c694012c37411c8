"""The report of an evaluation: page, pictures, tables."""
