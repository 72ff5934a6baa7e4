"""Words for people: one catalogue per language, a folder of TOML files, and its rendering."""
