"""Proxies that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY); this machine is reached without them."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from schemas.errors import InputError
from schemas.redaction import redact

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
KINDS = ("http", "https", "socks5", "socks5h")
"""Kinds of proxies that the clients of Prefect and of the hub can use."""


class ProxyError(InputError):
    """The environment names a proxy that no client here can use."""


def bypass_proxies() -> None:
    """Exempt this machine's own addresses from every proxy, for this process and for those that it starts.

    Raises:
        ProxyError: A proxy is of an unknown kind. A client fails because of it even where it would not be used.
    """
    proxies = getproxies_environment()
    named = {scheme: proxy for scheme, proxy in proxies.items() if scheme in {"http", "https", "all"} and proxy}
    for scheme, proxy in named.items():
        _check_kind(f"{scheme.upper()}_PROXY", proxy)
    exempt = [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]
    if named and exempt != ["*"]:
        exempt += [host for host in THIS_MACHINE if host not in exempt]
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(exempt)


def find_proxy(address: str) -> str | None:
    """The variable that names the proxy for an http address; None if the address is reached directly."""
    parts, proxies = urlsplit(address), getproxies_environment()
    if proxy_bypass(parts.hostname or ""):
        return None
    scheme = next((scheme for scheme in (parts.scheme, "all") if proxies.get(scheme)), None)
    return f"{scheme.upper()}_PROXY" if scheme else None


def _check_kind(variable: str, proxy: str) -> None:
    address = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(address)
        is_known = parts.scheme in KINDS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is not a number
        is_known = False
    if not is_known:
        raise ProxyError(
            f"{variable} {redact(address)}: not a usable proxy; give an address that begins with "
            f"{', '.join(f'{kind}://' for kind in KINDS[:-1])} or {KINDS[-1]}://, or unset it"
        )
