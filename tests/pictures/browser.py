"""What headless Chromium shows of pictures: the hashes of what it draws onto a canvas, computed by
our WebAssembly core in the page. Nothing but 127.0.0.1 is asked for."""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORE = ROOT / "build/wasm/wasm/core-simd.wasm"
CHROMIUM = shutil.which("chromium")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--disable-extensions", "--force-color-profile=srgb")
TYPES = {"jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
         "avif": "image/avif", "bmp": "image/bmp", "ico": "image/x-icon", "svg": "image/svg+xml",
         "jxl": "image/jxl", "tiff": "image/tiff"}
PICTURE_S = 300  # for one of them, however busy the machine is


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, content, kind="text/plain"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        files = {"/": (ROOT / "tests/pictures/page.html", "text/html"),
                 "/core.mjs": (ROOT / "wasm/core.mjs", "text/javascript"),
                 "/core.wasm": (CORE, "application/wasm")}
        if self.path in files:
            path, kind = files[self.path]
            self.answer(path.read_bytes(), kind)
        elif self.path == "/count":
            self.answer(str(len(self.server.pictures)).encode())
        elif self.path.startswith("/picture/"):
            form, content = self.server.pictures[int(self.path.split("/")[2])]
            self.answer(content, TYPES[form])
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.shown[int(self.path.split("/")[2])] = json.loads(body)
        self.answer(b"")
        self.server.came.release()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # the browser was ended, and with it its connections


@contextlib.contextmanager
def serving(pictures):
    server = Server(("127.0.0.1", 0), Handler)
    server.pictures, server.shown, server.came = pictures, {}, threading.Semaphore(0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def browsing(url):
    with tempfile.TemporaryDirectory(prefix="obhut-", ignore_cleanup_errors=True) as profile:
        program = subprocess.Popen([CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", url],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, HOME=profile), start_new_session=True)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def shown(pictures):
    """Of each (format, bytes) the list of what is shown: {frame, page, pdq, quality}; empty where
    the browser shows nothing."""
    with serving(pictures) as server, browsing(f"http://127.0.0.1:{server.server_port}/"):
        for number in range(len(pictures)):
            if not server.came.acquire(timeout=PICTURE_S):
                sys.exit(f"the browser said nothing about picture {number}")
        return [server.shown[i] for i in range(len(pictures))]
