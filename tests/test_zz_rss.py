import json, resource, time, random
from tests.builders import import_bytes, make_tenant
def test_rss(tmp_path):
    t=make_tenant()
    import_bytes(t, b'[]')
    words=[f"mot{i}" for i in range(5000)]
    base=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    convs=[]
    rnd=random.Random(1)
    def gen():
        yield b'['
        for c in range(2500):
            m={"root":{"id":"root","message":None,"parent":None,"children":[]}}
            p="root"
            for i in range(10):
                n=f"c{c}m{i}"; m[n]={"id":n,"parent":p,"children":[],"message":{"id":n,"author":{"role":"user"},"create_time":1.7e9,"content":{"content_type":"text","parts":[" ".join(rnd.choices(words,k=150))]}}}; p=n
            yield (b',' if c else b'')+json.dumps({"id":f"c{c}","conversation_id":f"c{c}","title":"t","create_time":1.7e9,"update_time":1.7e9,"mapping":m,"current_node":p}).encode()
        yield b']'
    from souvenir.ingestion.services import accept_import, Upload
    from souvenir.memories.services import ensure_person
    from tenants.isolation.scope import tenant_scope
    from tests.builders import run_jobs
    from souvenir.core.jobs import Job
    with tenant_scope(t.id):
        r=accept_import(person=ensure_person(external_id='a'), upload=Upload('x.json',gen()))
    s=time.time(); run_jobs(t, Job.RUN_IMPORT); s=time.time()-s
    with tenant_scope(t.id): r.refresh_from_db()
    print('\nMB',r.size_bytes/1e6,'messages',r.report['messages'],'s',s,'base MB',base/1024,'max MB',resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1024)
