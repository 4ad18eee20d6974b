"""A provider that takes everything at once: ``python -m tests.bench.sink`` prints where it listens."""

from __future__ import annotations

import asyncio

from aiohttp import web

_MOST = 1 << 20


async def _take(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=202, headers={"X-Message-Id": "taken"})


async def _serve() -> None:
    application = web.Application(client_max_size=_MOST)
    application.router.add_post("/{path:.*}", _take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
