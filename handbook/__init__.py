"""The documents as a site that reads offline, with a reference made from the code."""
