"""The English sentences, one module for each fault and one for what all share."""
