"""Tools that correct a mask, without Qt."""
