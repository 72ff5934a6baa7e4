"""The vocabulary: values that every other folder speaks of."""
