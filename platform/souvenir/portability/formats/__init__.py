"""One module per provider: a parsed object of its export in, a canonical document out."""
