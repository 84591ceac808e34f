"""Tells Prometheus what the processes beside it have counted: `python -m` this, one per pod.

A process of its own, without Django: it holds no secret and reaches no database, so that whoever
reads its port learns numbers and nothing else. Bound to loopback unless told otherwise.
"""

import logging
import os
import signal
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from souvenir.config.log_lines import JsonLines

logger = logging.getLogger("souvenir.metrics")
DEFAULT_ADDRESS, DEFAULT_PORT = "127.0.0.1", 9464


def main() -> None:
    """Serve until a signal asks to stop."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    folder = Path(os.environ["SOUVENIR_METRICS_DIR"])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = os.environ.get("SOUVENIR_METRICS_ADDRESS", DEFAULT_ADDRESS)
    port = int(os.environ.get("SOUVENIR_METRICS_PORT", DEFAULT_PORT))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # has none
    server, thread = start_http_server(port, addr=address, registry=registry)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logger.info("metrics are told on %s, port %s", address, server.server_port)
    stop.wait()
    server.shutdown()
    thread.join()


if __name__ == "__main__":
    main()
