"""Defines every metric of the services.

Prometheus reads the metrics at `/metrics` of each service. Names are `brakepoint_{what}_{unit}`, counters end
in `_total`, and units are those of the messages, cm and seconds. Each metric is labelled with the train and
the service; the memory and CPU time of the process are in the `process_…` metrics of the Prometheus client.
"""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from brakepoint.errors import UserError, system_says

OF = ("train", "service")

MESSAGES = Counter("brakepoint_messages", "Messages that arrived.", (*OF, "topic"))
MESSAGES_REFUSED = Counter("brakepoint_messages_refused", "Messages that were no good.", (*OF, "topic"))
MESSAGES_SKIPPED = Counter(
    "brakepoint_messages_skipped", "Messages that newer ones replaced before they were read.", (*OF, "topic")
)
WORK = Counter("brakepoint_work", "Frames captured or looked at, orders given or passed on.", OF)
BROKER_CONNECTED = Gauge("brakepoint_broker_connected", "1 while the broker is there, else 0.", OF)
BROKER_CONNECTIONS = Counter("brakepoint_broker_connections", "How often the broker was reached.", OF)
ORDERS_REFUSED = Counter("brakepoint_orders_refused", "Orders that did not pass, and why.", (*OF, "reason"))
ORDER_LATENCY = Histogram(
    "brakepoint_order_latency_seconds",
    "From the capture of a frame to the order at the train.",
    OF,
    buckets=(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
)
MISSION_RUNNING = Gauge("brakepoint_mission_running", "1 while orders are passed on, else 0.", OF)
TRAIN_SPEED = Gauge("brakepoint_train_speed_cm_s", "How fast the train is.", OF)
TRAIN_POSITION = Gauge("brakepoint_train_position_cm", "Distance covered since the start.", OF)
TRAIN_LOST = Counter("brakepoint_train_lost", "How often the train itself broke down in mid run.", OF)
WATCHDOG_BITES = Counter("brakepoint_watchdog_bites", "How often the train braked by itself.", OF)

METRICS = (
    MESSAGES,
    MESSAGES_REFUSED,
    MESSAGES_SKIPPED,
    WORK,
    BROKER_CONNECTED,
    BROKER_CONNECTIONS,
    ORDERS_REFUSED,
    ORDER_LATENCY,
    MISSION_RUNNING,
    TRAIN_SPEED,
    TRAIN_POSITION,
    TRAIN_LOST,
    WATCHDOG_BITES,
)


def offer_metrics(host: str, port: int) -> str:
    """Serves `/metrics` in a thread of this process.

    Args:
        host: Host to listen on.
        port: Port to listen on; 0 for any free port.

    Returns:
        The URL.

    Raises:
        UserError: The port is in use.
    """
    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        raise UserError("live.error.port", address=f"{host}:{port}", why=system_says(error)) from error
    return f"http://{host}:{server.server_port}/metrics"
