"""Tables with stable names for others: as SQL views, files, and DataFrames."""
