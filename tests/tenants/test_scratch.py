from tenants.isolation.catalogue import audit_isolation
def test_x():
    assert audit_isolation() == []
