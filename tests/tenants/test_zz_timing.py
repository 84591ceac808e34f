import json,time
from django.db import connection
from tenants.isolation import catalogue as c
def test_time():
    t=time.time()
    for _ in range(10): assert c.audit_isolation()==[]
    print("PER AUDIT", (time.time()-t)/10)
    with connection.cursor() as cur:
        cur.execute("EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) "+c._QUESTION,{"control":json.dumps({n:x.privileges for n,x in c.CONTROL_TABLES.items()}),"extensions":c.EXTENSIONS,"predicate":c._PRINTED_PREDICATE})
        rows=[r[0] for r in cur.fetchall()]
    import re
    for r in rows:
        m=re.search(r"actual time=[\d.]+\.\.([\d.]+) rows=\S+ loops=(\d+)",r)
        if not m or float(m[1])*int(m[2])>1.0: print(r[:150])
