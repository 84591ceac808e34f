"""How dates and numbers look, where Django's own formats are wrong for Canada."""
