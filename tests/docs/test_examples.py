"""Every file in examples/ does what it is for: it is run by the software that it was written for."""
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))
import obhutd  # noqa: E402
import test_gateway  # noqa: E402
import waiting  # noqa: E402

EXAMPLES = obhutd.ROOT / "examples"
ROCKET, COFFEE = (obhutd.DEMO / name for name in ("rocket-640x427.jpg", "coffee-2400x1600.jpg"))
OTHER = obhutd.DEMO / "hubble-1000x872.jpg"
CLIENTS = {"check.py": "/usr/bin/python3", "check.php": "php", "check.mjs": "node"}


def run(*words, **options):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, **options)


class Examples(obhutd.Case):
    def listed(self):
        """One picture that two sources list, one that one does."""
        self.run_obhut("list", "import", self.write("k.jsonl", [
            self.list_of(COFFEE, id="1", source="A"), self.list_of(COFFEE, id="2", source="B"),
            self.list_of(ROCKET, id="3", source="A")]), "--name", "known")

    def test_every_file_has_a_test_and_is_named_in_the_pages(self):
        known = {*CLIENTS, "nginx.conf", "prometheus.yml", "obhut.rules.yml", "compose-lemmy.yaml",
                 "Dockerfile", "all-direct-messages.json", "systemd"}
        self.assertEqual({path.name for path in EXAMPLES.iterdir()}, known)
        pages = "".join(page.read_text() for page in (obhutd.ROOT / "docs").glob("*.md"))
        pages += (obhutd.ROOT / "README.md").read_text()
        for name in known - {"Dockerfile"}:
            self.assertIn(f"examples/{name}", pages, name)

    # ---- Clients --------------------------------------------------------------------------------

    def ask(self, client, picture, token, url):
        done = run(CLIENTS[client], EXAMPLES / client, picture, timeout=waiting.LIMIT_S,
                   env=dict(os.environ, OBHUT_TOKEN=token, OBHUT_URL=url))
        return done.returncode, done.stdout.strip(), done.stdout + done.stderr

    def test_clients_keep_refuse_and_ask_and_know_what_to_do_when_obhut_is_down(self):
        self.listed()
        service = self.start()
        token = self.run_obhut("token", "add", "forum", "--surface", "public", "--scope", "scan")[0].strip()
        nonsense, huge = self.write("nonsense", "no picture"), self.dir / "huge"
        huge.write_bytes(bytes(51_000_000))
        for client in CLIENTS:
            for picture, wanted in ((OTHER, "keep"), (ROCKET, "ask"), (COFFEE, "refuse"),
                                    (nonsense, "ask"), (huge, "ask")):
                code, got, said = self.ask(client, picture, token, service.url)
                self.assertEqual((code, got), (0, wanted), f"{client} {picture.name}: {said}")
            code, got, said = self.ask(client, OTHER, "wrong", service.url)
            self.assertNotEqual(code, 0, f"{client}: {said}")
            self.assertIn("Obhut: ", said)
        service.stop()
        for client in CLIENTS:
            code, got, said = self.ask(client, COFFEE, token, service.url)
            self.assertEqual((code, got), (0, "ask"), f"{client}: {said}")

    def test_the_image_and_the_manual_name_every_library_that_the_programs_need(self):
        needed = set()
        for program in ("obhut", "obhutd", "obhut-worker", "obhut-worker-heif"):
            path = pathlib.Path(self.binary).parent / program
            for line in run("readelf", "-d", path).stdout.splitlines():
                if "(NEEDED)" in line:
                    needed.add(line.split("[")[1].rstrip("]"))
        found = run("dpkg", "-S", *(f"*/{name}" for name in sorted(needed))).stdout
        packages = {line.split(":")[0] for line in found.splitlines()
                    if line.rpartition("/")[2] in needed} - {"libc6", "libc6-i386", "libc6-x32"}
        self.assertGreater(len(packages), 10)
        for page in (EXAMPLES / "Dockerfile", obhutd.ROOT / "docs/INSTALL.md"):
            words = page.read_text().replace(",", " ").split()
            self.assertEqual(sorted(packages - set(word.rstrip(".") for word in words)), [], page.name)

    def test_clients_are_short(self):
        for client in CLIENTS:
            lines = [line for line in (EXAMPLES / client).read_text().splitlines()
                     if line.strip() and not line.strip().startswith(("//", "#", '"""'))]
            self.assertLessEqual(len(lines), 22, client)

    # ---- nginx ----------------------------------------------------------------------------------

    def nginx(self, service):
        """Starts it with the example as it is, but for names, ports and certificates; its port."""
        port = obhutd.quiet_port()
        done = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                   "/CN=obhut.example.org", "-keyout", self.dir / "k.pem", "-out", self.dir / "c.pem")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = (EXAMPLES / "nginx.conf").read_text()
        for what, instead in (("server 127.0.0.1:8480", f"server {service.host}:{service.port}"),
                              ("server 127.0.0.1:8482", "server %s:%d" % service.place("public")),
                              ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                              ("/etc/ssl/obhut.example.org.pem", f"{self.dir}/c.pem"),
                              ("/etc/ssl/obhut.example.org.key", f"{self.dir}/k.pem")):
            self.assertEqual(text.count(what), 1, what)
            text = text.replace(what, instead)
        places = "".join(f"{kind}_temp_path {self.dir}/{kind};\n"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.write("nginx.conf", f"daemon off;\nmaster_process off;\npid {self.dir}/pid;\n"
                            f"error_log {self.dir}/error.log;\nevents {{}}\nhttp {{\n"
                            f"access_log {self.dir}/access.log;\n{places}{text}\n}}\n")
        words = ["nginx", "-p", self.dir, "-e", self.dir / "error.log", "-c", config]
        done = run(*words, "-t")
        self.assertEqual(done.returncode, 0, done.stderr)
        process = subprocess.Popen([*map(str, words)], stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, waiting.LIMIT_S)
        self.addCleanup(process.send_signal, signal.SIGQUIT)
        waiting.until(lambda: self.listens(port), "nginx listens")
        return port

    def listens(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def through(self, port, path, body=None, token=None):
        """(status, body) through nginx; redirections are told, not followed."""
        trusting = ssl.create_default_context(cafile=self.dir / "c.pem")
        trusting.check_hostname = False
        keep = urllib.request.HTTPRedirectHandler()
        keep.redirect_request = lambda *_: None
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting), keep)
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", body,
                                         {"Authorization": f"Bearer {token}"} if token else {})
        try:
            with opener.open(request, timeout=waiting.LIMIT_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read()

    @unittest.skipIf(obhutd.SANITIZED, "what is tested here is nginx")
    def test_nginx_passes_what_it_should_and_writes_no_secret_down(self):
        self.listed()
        service = self.start()
        path = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        port = self.nginx(service)
        self.assertEqual(self.through(port, "/")[0], 302)
        self.assertEqual(self.through(port, "/readyz")[0], 200)
        status, page = self.through(port, "/transparency?lang=de")
        self.assertEqual((status, b'lang="de"' in page), (200, True))
        scan = "/v1/scan?surface=public"
        status, body = self.through(port, scan, COFFEE.read_bytes(), service.token)
        self.assertEqual((status, b'"action":"block"' in body), (200, True), body)
        self.assertEqual(self.through(port, scan, COFFEE.read_bytes())[0], 401)
        self.assertEqual(self.through(port, "/metrics", None, service.token)[0], 404)
        self.assertEqual(self.through(port, path, COFFEE.read_bytes())[0], 422)
        self.assertEqual(self.through(port, scan, bytes(51_000_000), service.token)[0], 413)
        logs = (self.dir / "access.log").read_text() + (self.dir / "error.log").read_text()
        self.assertNotIn(path, logs)
        self.assertIn("/v1/scan", logs)

    # ---- Prometheus -----------------------------------------------------------------------------

    def prometheus(self):
        folder = self.dir / "prometheus"
        folder.mkdir()
        for name in ("prometheus.yml", "obhut.rules.yml"):
            shutil.copy(EXAMPLES / name, folder)
        (folder / "obhut.token").write_text("x")
        return folder

    def test_prometheus_takes_the_configuration_and_the_metrics(self):
        done = run("promtool", "check", "config", self.prometheus() / "prometheus.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.listed()
        service = self.start()
        service.scan(ROCKET.read_bytes())
        text = service.request("GET", "/metrics")[2].decode()
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        for name in re.findall(r"\bobhut_\w+", (EXAMPLES / "obhut.rules.yml").read_text()):
            self.assertIn(f"# TYPE {name} ", text)

    def test_the_alarms_are_raised_by_what_they_are_about_and_by_nothing_else(self):
        folder = self.prometheus()
        quiet = {'up{job="obhut",instance="a"}': "1x30", 'obhut_list_entries{instance="a",list="k"}': "5x30",
                 'obhut_lists_unsearchable{instance="a"}': "0x30",
                 'obhut_scans_total{instance="a",action="review"}': "3x30",
                 'obhut_scans_total{instance="a",action="allow"}': "0+100x30",
                 'obhut_let_through_total{instance="a",reason="BUSY"}': "0x30"}
        for alarm, changed in (
                (None, {}), ("ObhutMatch", {'obhut_scans_total{instance="a",action="review"}': "3x20 4x10"}),
                ("ObhutMatch", {'obhut_scans_total{instance="a",action="block"}': "0x20 1x10"}),
                ("ObhutLetThroughUnseen", {'obhut_let_through_total{instance="a",reason="BUSY"}': "0x20 1x10"}),
                ("ObhutNoList", {'obhut_list_entries{instance="a",list="k"}': None}),
                ("ObhutNoList", {'obhut_list_entries{instance="a",list="k"}': "0x30"}),
                ("ObhutListUnsearchable", {'obhut_lists_unsearchable{instance="a"}': "0x20 1x10"}),
                ("ObhutDown", {'up{job="obhut",instance="a"}': "1x20 0x10"}),
                ("ObhutCouldNot", {'obhut_could_not_total{instance="a",reason="LOG"}': "0+10x30"}),
                ("ObhutWorkersLost", {'obhut_workers_lost_total{instance="a"}': "0x20 8x10"})):
            series = [{"series": name, "values": values} for name, values in (quiet | changed).items() if values]
            checks = [{"expr": 'count(ALERTS{alertstate="firing"}) by (alertname)', "eval_time": "27m",
                       "exp_samples": [{"labels": f'{{alertname="{alarm}"}}', "value": 1}] if alarm else []}]
            (folder / "test.yml").write_text(yaml.safe_dump({
                "rule_files": ["obhut.rules.yml"], "evaluation_interval": "1m",
                "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]}))
            done = run("promtool", "test", "rules", "test.yml", cwd=folder)
            self.assertEqual(done.returncode, 0, f"{alarm}: {done.stdout}{done.stderr}")

    # ---- Lemmy ----------------------------------------------------------------------------------

    def test_composes_obhut_answers_composes_pict_rs(self):
        compose = yaml.safe_load((EXAMPLES / "compose-lemmy.yaml").read_text())
        services, networks = compose["services"], compose["networks"]
        own = services["obhut"]
        for service in services.values():
            for name in service["networks"]:
                self.assertIn(name, networks)
            for volume in service["volumes"]:
                name = volume.split(":")[0]
                self.assertTrue(name.startswith(".") or name in compose["volumes"], volume)
        # nobody but pict-rs reaches it, and it reaches nobody
        self.assertEqual(own["networks"], ["uploads"])
        self.assertTrue(networks["uploads"]["internal"])
        self.assertEqual([n for n, s in services.items() if "uploads" in s["networks"]],
                         ["obhut", "pictrs"])
        self.assertNotIn("ports", own)
        url = services["pictrs"]["environment"]["PICTRS__MEDIA__EXTERNAL_VALIDATION"]
        self.assertEqual(url, "http://obhut:8480${OBHUT_GATEWAY}")
        program, *words = own["command"]
        at = words.index("--listen")
        self.assertEqual((program, words[at + 1]), ("obhutd", "0.0.0.0:8480"))
        # its part and pict-rs's are played
        self.listed()
        service = self.start(listen="0.0.0.0:0")
        gateway = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        path = url.replace("${OBHUT_GATEWAY}", gateway).removeprefix("http://obhut:8480")
        service.host = "127.0.0.1"
        for picture, wanted in ((COFFEE, 422), (OTHER, 200)):
            self.assertEqual(test_gateway.post_as_pict_rs(service, path, picture.read_bytes()), wanted)

    def test_the_image_has_the_libraries_that_the_pages_name_and_starts_what_they_say(self):
        text = (EXAMPLES / "Dockerfile").read_text()
        final = text.split("FROM ")[2]
        page = (obhutd.ROOT / "docs/INSTALL.md").read_text()
        named = set(re.findall(r"\blib[a-z0-9.]+[a-z0-9-]*|zlib1g", page.split("no compiler:")[1].split(".\n")[0]))
        named -= {"libheif-dev"}
        self.assertEqual(set(re.findall(r"\blib[\w.-]+|zlib1g", final.split("rm -rf")[0])), named)
        self.assertIn('CMD ["obhutd", "--data", "/var/lib/obhut", "--listen", "0.0.0.0:8480"]', final)
        for copied in re.findall(r"\./dev \w+", text):
            self.assertIn(copied.split()[1], ("build",))


if __name__ == "__main__":
    unittest.main()
