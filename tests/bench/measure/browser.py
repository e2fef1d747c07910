"""A check as `request.rs` writes it, for a page opened in a browser: protobuf in a few lines, so that nothing
has to be built to ask one."""

from pathlib import Path

HEADERS = {
    ":path": "/headers",
    ":method": "GET",
    ":scheme": "https",
    "sec-ch-ua": '"Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "upgrade-insecure-requests": "1",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
                  " Safari/537.36",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "x-forwarded-for": "192.0.2.17",
    "x-forwarded-proto": "https",
    "x-request-id": "0d7b4c9a-52a3-4f0e-9f0c-6f5f4f1e2b1d",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
COOKIES = ("theme=dark; consent=2f6b0c9e; csrftoken=Yb1m5vJq0yN3TzXh8uKcRw2PpLdE7sGa4; "
           "_ga=GA1.1.1202993341.1758112233; sid=s%3AqF0cVb6yJ2mW9tKxZ1rN8uHdPe5LgA3S.o7TtYk4Bv1CqXnMw; "
           "tz=Europe%2FBerlin")


def write_check(file: Path, host: str, route: str, token: str | None = None):
    """A check of `GET /headers` as it stands in the body of a call: not compressed, its length, itself."""
    check = field(1, attributes(host, route, token))
    file.write_bytes(b"\0" + len(check).to_bytes(4, "big") + check)


def attributes(host: str, route: str, token: str | None) -> bytes:
    """`AttributeContext`."""
    time = field(1, 1_780_000_000) + field(2, 123_456_000)
    return b"".join([
        field(1, peer("192.0.2.17", 51344)),
        field(2, peer("10.0.4.2", 8443)),
        field(4, field(1, time) + field(2, http(host, token))),
        # Context extensions; no metadata, neither of the request nor of the route.
        field(10, field(1, "route_id") + field(2, route)),
        field(11, b""),
        field(12, field(1, host)),
        field(13, b""),
    ])


def http(host: str, token: str | None) -> bytes:
    """`HttpRequest`, with the headers as bytes."""
    headers = {":authority": host, **HEADERS, "referer": f"https://{host}/forms/post?step=2", "cookie": COOKIES}
    if token:
        headers["authorization"] = f"Pomerium {token}"
    lines = [field(1, field(1, name) + field(3, value)) for name, value in headers.items()]
    return b"".join([
        field(1, "13467903414863091834"),
        field(2, "GET"),
        field(4, HEADERS[":path"]),
        field(5, host),
        field(6, "https"),
        field(10, "HTTP/2"),
        field(13, b"".join(lines)),
    ])


def peer(address: str, port: int) -> bytes:
    socket = field(2, address) + field(3, port)
    return field(1, field(1, socket))


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a message: a number, or what has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    low = []
    while value > 0x7F:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])
