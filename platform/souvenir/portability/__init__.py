"""Pure codecs: bytes in, canonical documents out, and back. No framework, no database."""
