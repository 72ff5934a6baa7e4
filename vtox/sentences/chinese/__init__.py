"""The Chinese sentences in simplified characters, module for module as the English ones."""
