"""Asks for a page with pomerium-http-adapter, as a program of one of its users would.

python3 call.py URL LISTEN_PORT CACHE

Prints what came of it as JSON. The link to sign in is opened by the program that $BROWSER names.
"""

import json
import socket
import sys

import requests
from pomerium_http_adapter import PomeriumHTTPAdapter

# Names below localhost are this machine, as for browsers; not every resolver knows that.
look_up = socket.getaddrinfo


def local_stays_local(host, *more, **named):
    here = isinstance(host, str) and host.endswith(".localhost")
    return look_up("127.0.0.1" if here else host, *more, **named)


socket.getaddrinfo = local_stays_local

url, port, cache = sys.argv[1:]
session = requests.Session()
session.mount("https://", PomeriumHTTPAdapter(
    authenticated_domains=["localhost"], listen_port=int(port), cache_path=cache))
answer = session.get(url, timeout=30)
print(json.dumps({"status": answer.status_code, "url": answer.url, "body": answer.text}))
