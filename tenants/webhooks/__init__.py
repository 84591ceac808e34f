"""Telling an organization's own systems what has happened, by signed calls that carry ids only."""
