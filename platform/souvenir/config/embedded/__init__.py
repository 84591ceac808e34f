"""The embedded profile: all of Souvenir on one machine, with a PostgreSQL of its own."""
