"""The web process. It refuses to start on a database that would let tenants meet."""

import os
import threading

from django.core.wsgi import get_wsgi_application

from souvenir.config.health import warm_embedder
from tenants.isolation.catalogue import refuse_broken_isolation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "souvenir.config.settings")

application = get_wsgi_application()
refuse_broken_isolation()
threading.Thread(target=warm_embedder, daemon=True).start()
