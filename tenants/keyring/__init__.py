"""The keyring: each person's key, wrapped by the organization's, which a provider holds.

It may stand in a database of its own, with backups of its own and shorter ones: a key that is
destroyed here must not come back from a backup of the data.
"""
