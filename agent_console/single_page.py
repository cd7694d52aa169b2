"""Serves the built browser application: its files, and its one page for every address that is not a file."""

from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What may be served, and as what: the machine's own table is not asked, because a wrong type blocks a script."""
FOREVER = "public, max-age=31536000, immutable"
NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Console not built</title></head>
<body><h1>The console is not built yet</h1>
<p>The server runs. To build the browser application:</p>
<pre>cd agent_console/web
npm ci
npm run build</pre>
<p>Then load this page again.</p></body></html>
"""


class SinglePage:
    """ASGI application for whatever no route has taken. ``/api/`` never falls through to the page."""

    def __init__(self, static_dir: Path | None, *, otherwise: ASGIApp) -> None:
        self._root = static_dir.resolve() if static_dir is not None else None
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
            return
        response = self._response(Request(scope))
        await response(scope, receive, send)

    def _response(self, request: Request) -> Response:
        path = request.url.path
        if path == "/api" or path.startswith("/api/"):
            raise HTTPException(404)
        if request.method not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        index = self._find("index.html")
        if index is None:
            return HTMLResponse(NOT_BUILT, headers={"Cache-Control": "no-store"})
        found = self._find(path.lstrip("/"))
        if found is None:
            if PurePosixPath(path).suffix:
                raise HTTPException(404)
            found = index
        hashed = path.startswith("/assets/") and found != index
        return FileResponse(
            found,
            media_type=MEDIA_TYPES[found.suffix],
            headers={"Cache-Control": FOREVER if hashed else "no-cache"},
        )

    def _find(self, path: str) -> Path | None:
        if self._root is None:
            return None
        try:
            found = (self._root / path).resolve()
            served = found.is_relative_to(self._root) and found.suffix in MEDIA_TYPES and found.is_file()
        except (OSError, ValueError):  # a name that no file can have: too long, or with a NUL
            return None
        return found if served else None
