"""A redirector on Sanic, the kind of service that the balancer takes the place of."""
import sys
from urllib.parse import urlsplit

from sanic import Sanic
from sanic.response import redirect, text

app = Sanic("redirector")
app.config.ACCESS_LOG = False
numbers = iter(range(1, sys.maxsize))


@app.get("/")
async def answer(request):
    video = request.args.get("video")
    if not video:
        return text("no video", 400)
    if next(numbers) % 10 == 0:
        return redirect(video, status=301)
    url = urlsplit(video)
    return redirect(f"http://cdn.example.com/{url.hostname.split('.')[0]}{url.path}", status=301)


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, debug=False, motd=False)
