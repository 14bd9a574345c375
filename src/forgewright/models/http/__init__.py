"""A lean HTTP/1.1 client for model APIs: one POST, one answer, streamed or whole.

Its reason is start-up time and cost per request, see docs/adr/0002-own-http-client.md. It verifies
certificates always, follows no redirects, decodes no compression, and bounds whatever it reads.
"""

from forgewright.models.http.client import Endpoint, HttpClient
from forgewright.models.http.limits import HttpLimits, HttpTimeouts
from forgewright.models.http.response import HttpResponse, HttpStream
from forgewright.models.http.url import Url, parse_url

__all__ = [
    "Endpoint",
    "HttpClient",
    "HttpLimits",
    "HttpResponse",
    "HttpStream",
    "HttpTimeouts",
    "Url",
    "parse_url",
]
