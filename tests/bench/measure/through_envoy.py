"""Requests a second through a real Envoy of one worker, with Lictor and with the empty server behind it."""

import contextlib
import http.client
import json
import re
import statistics
from pathlib import Path

from .deployment import Deployment, Placed, empty
from .figures import Figure
from .servers import Server, free_address
from .tools import Programs, fail, output
from .turns import Rounds, spread

HOST = "app-0.localhost"
FILTER = "envoy.filters.http.ext_authz"
TYPES = "type.googleapis.com/envoy.extensions"
# As many clients as keep one worker busy.
CLIENTS, STREAMS = 8, 8


def measure(envoy: Path, programs: Programs, scratch: Path, requests: int, rounds: int) -> list[Figure]:
    """One Envoy, a listener for each server: so both are asked by the same process, in turns."""
    placed = Placed(Deployment("envoy"), programs, scratch)
    headers = asked(programs, placed)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(server) for server in (placed.server(), empty(programs))]
        others = stack.enter_context(placed.others())
        servers += others
        listeners = [free_address() for _ in servers]
        config = placed.folder / "envoy.json"
        config.write_text(json.dumps(bootstrap(list(zip(listeners, servers)))))
        command = [envoy, "-c", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "off"]
        proxy = stack.enter_context(Server("Envoy", listeners[0], command))
        look(listeners, headers)
        cpu = {}

        def drive(listener):
            before = proxy.cpu_seconds()
            rate = drive_once(listener, headers, requests)
            cpu.setdefault(listener, []).append((proxy.cpu_seconds() - before) / requests * 1e6)
            return rate
        for listener in listeners:
            drive(listener)
        measured = Rounds(rounds, [lambda listener=listener: drive(listener) for listener in listeners])
    itself, beside = (statistics.median(cpu[listener]) for listener in listeners[:2])
    print(f"\nthrough Envoy: {measured.median(0):,.0f} requests/s, with the empty server {measured.median(1):,.0f}:"
          f" {measured.ratio(0, 1):.2f} ({spread(measured.ratios(0, 1))}); Envoy itself {itself:.0f} µs and"
          f" {beside:.0f} µs a request",
          flush=True)
    figures = [Figure("envoy.requests_ratio", measured.ratio(0, 1)),
               Figure("envoy.requests_lictor", measured.median(0)), Figure("envoy.requests_empty", measured.median(1))]
    if others:
        figures.append(Figure("envoy.requests_ratio_to_other", measured.ratio(0, 2), "÷ the other lictor", main=True))
    return figures


def asked(programs: Programs, placed: Placed) -> dict:
    """What a browser sends."""
    token = output(programs.lictor, "token", "mint", "-email", "bob@example.com", "-sub", "bob",
                   "-groups", "engineering,on-call", "-aud", HOST, "-iss", "auth.localhost", "-expiry", "12h",
                   "--key-file", placed.folder / "shared_secret")
    return {
        "authorization": f"Pomerium {token}",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
                      " Safari/537.36",
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "accept-language": "en-GB,en;q=0.9",
        "cookie": "theme=dark; consent=2f6b0c9e; csrftoken=Yb1m5vJq0yN3TzXh8uKcRw2PpLdE7sGa4; tz=Europe%2FBerlin",
    }


def look(listeners: list[str], headers: dict):
    """With the token everybody lets in; without it all but the empty server refuse, so they are asked indeed."""
    for which, listener in enumerate(listeners):
        anonymous = {name: value for name, value in headers.items() if name != "authorization"}
        statuses = [status(listener, sent) for sent in (headers, anonymous)]
        if statuses != [200, 200 if which == 1 else 302]:
            fail(f"through Envoy: answered {statuses} with and without a token, by server {which}")


def status(listener: str, headers: dict) -> int:
    connection = http.client.HTTPConnection(listener, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/headers", headers={**headers, "host": HOST})
        return connection.getresponse().status


def drive_once(listener: str, headers: dict, requests: int) -> float:
    """Requests a second, each of which must be let in."""
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    load = output("h2load", "-c", CLIENTS, "-m", STREAMS, "-n", requests, "-H", f":authority: {HOST}", *words,
                  f"http://{listener}/headers")
    rate, done = re.search(r"([\d.]+) req/s", load), re.search(r"status codes: (\d+) 2xx", load)
    if not rate or not done or int(done[1]) != requests:
        fail(f"through Envoy: not every request was let in\n{load}")
    return float(rate[1])


def bootstrap(pairs: list[tuple[str, Server]]) -> dict:
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "static_resources": {
            "listeners": [listener(number, at) for number, (at, _) in enumerate(pairs)],
            "clusters": [cluster(number, server.address) for number, (_, server) in enumerate(pairs)],
        },
    }


def socket_address(address: str) -> dict:
    host, port = address.split(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def listener(number: int, at: str) -> dict:
    """What the shipped gateway does with a check; the upstream is an answer that Envoy gives itself."""
    check = {
        "@type": f"{TYPES}.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": f"authz-{number}", "authority": "lictor"}, "timeout": "5s"},
        "status_on_error": {"code": "ServiceUnavailable"},
        "encode_raw_headers": True,
        "include_tls_session": True,
        "validate_mutations": True,
    }
    host = {
        "name": "app", "domains": [HOST],
        "typed_per_filter_config": {FILTER: {
            "@type": f"{TYPES}.filters.http.ext_authz.v3.ExtAuthzPerRoute",
            "check_settings": {"context_extensions": {"route_id": "app-0"}}}},
        "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "hello"}}}],
    }
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": f"bench-{number}",
        "use_remote_address": True,
        "normalize_path": True,
        "merge_slashes": True,
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [
            {"name": FILTER, "typed_config": check},
            {"name": "envoy.filters.http.router",
             "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}},
        ],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": f"bench-{number}", "address": socket_address(at), "filter_chains": [{"filters": [network]}]}


def cluster(number: int, address: str) -> dict:
    endpoint = {"endpoint": {"address": socket_address(address)}}
    protocol = {"@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 64}}}
    return {
        "name": f"authz-{number}", "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": f"authz-{number}", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
        "circuit_breakers": {"thresholds": [{"max_pending_requests": 4096, "max_requests": 8192}]},
    }
