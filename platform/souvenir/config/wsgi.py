"""The web process. It refuses to start on a database that would let tenants meet."""

import gc
import os
import sys
import threading

from django.core.wsgi import get_wsgi_application

from souvenir.config.health import warm_embedder
from souvenir.config.pacing import paced
from tenants.isolation.catalogue import refuse_broken_isolation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "souvenir.config.settings")

# A thread that comes back from the database waits so long for one that computes, and does so a
# dozen times in a request. Python's 5 ms are for programs that compute.
sys.setswitchinterval(0.0005)


def _warm() -> None:
    """Load what is kept for good, and spare the collector of garbage from walking it each time."""
    warm_embedder()
    gc.collect()
    gc.freeze()


application = paced(get_wsgi_application())
refuse_broken_isolation()
threading.Thread(target=_warm, daemon=True).start()
