"""Chromium as a test drives it: started without a network, spoken to over the DevTools protocol."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import websocket

QUIET = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-port=0", "--remote-allow-origins=*"]
STARTED = re.compile(rb"DevTools listening on (ws://\S+)")


def binary():
    """Chromium's path, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Failed(Exception):
    """What the browser answered to a command, or that it did not."""


class Browser:
    """One browser; `open` gives a page of it."""

    def __init__(self, seconds=60):
        self.folder = tempfile.mkdtemp(prefix="plimsoll-browser-")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen([binary(), *QUIET, f"--user-data-dir={self.folder}/profile", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        self.socket = websocket.create_connection(self._address(seconds), timeout=seconds, max_size=None)
        self.events, self.number = [], 0

    def _address(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.log.name, "rb") as log:
                if found := STARTED.search(log.read()):
                    return found[1].decode()
            time.sleep(0.05)
        self.close()
        raise Failed("chromium did not start")

    def close(self):
        if socket := getattr(self, "socket", None):
            socket.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, method, session=None, **params):
        """One command, and what is answered; events that come in between are kept."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params,
                                     **({"sessionId": session} if session else {})}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise Failed(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def open(self, path, **how):
        return Page(self, path, **how)


class Page:
    """A page that has been loaded; what it did meanwhile stands in `events`."""

    def __init__(self, browser, path, width=1280, height=900, dark=False, script=True):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.target, self.session = target, browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.media("screen", dark)
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.wait("Page.loadEventFired")

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def media(self, media, dark=False):
        self.send("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)
        self.browser.events = [event for event in self.browser.events if event.get("sessionId") != self.session]

    def happened(self, *methods):
        return [event["params"] for event in self.browser.events
                if event.get("sessionId") == self.session and event["method"] in methods]

    def wait(self, method):
        while not self.happened(method):
            self.browser.events.append(json.loads(self.browser.socket.recv()))

    def run(self, expression):
        """The value of a JavaScript expression (of a promise: what it is fulfilled with)."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failed(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key, shift=False):
        code, text = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}[key]
        more = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code,
                "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **more)
        self.send("Input.dispatchKeyEvent", type="keyUp", **more)

    def type(self, text):
        self.send("Input.insertText", text=text)

    def picture(self, path, whole=False):
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self):
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])
