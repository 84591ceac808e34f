"""Tenant isolation: the scope, the tenant table, its migration operation, the catalogue audit."""
