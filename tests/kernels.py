"""A Jupyter kernel of a test's own, driven as a notebook drives it."""

import os
from dataclasses import dataclass, field
from queue import Empty
from subprocess import DEVNULL
from time import monotonic

from jupyter_client.manager import KernelManager

from tools.lessons import ROOT

SECONDS = 60  # for any one request, on a machine that does other things as well


@dataclass
class Reply:
    """What came of one request: the text of its result, the name of its error, and all that was published meanwhile."""

    result: str = ""
    error: str = ""
    published: list = field(default_factory=list)

    @property
    def lines(self):
        """The texts that a display showed one after the other; "" where it was taken away."""
        displays = [content for kind, content in self.published if kind.endswith("display_data")]
        return [content["data"].get("text/plain", "") for content in displays]


class Kernel:
    """A kernel in a process of its own, which imports this copy of the package; use it in a `with` block."""

    def __init__(self, folder):
        self.manager = KernelManager()
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder)}

    def __enter__(self):
        self.manager.start_kernel(env=self._environment, stdout=DEVNULL, stderr=DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code, *, somebody_looks=True, interrupt_after=None):
        """What comes of running a cell, which is interrupted once a text with `interrupt_after` in it is published."""
        return self._wait_for(self.client.execute(code, allow_stdin=somebody_looks), interrupt_after)

    def move(self, model_id, value, *, interrupt_after=None):
        """What comes of a control being moved in the browser."""
        content = {"comm_id": model_id, "data": {"method": "update", "state": {"value": value}, "buffer_paths": []}}
        message = self.client.session.msg("comm_msg", content)
        self.client.shell_channel.send(message)
        return self._wait_for(message["header"]["msg_id"], interrupt_after)

    def _wait_for(self, request, interrupt_after):
        reply, deadline = Reply(), monotonic() + SECONDS
        while monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            reply.published.append((kind, content))
            if kind == "execute_result":
                reply.result = content["data"]["text/plain"]
            elif kind == "error":
                reply.error = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return reply
            if interrupt_after is not None and interrupt_after in str(content.get("data", "")):
                self.manager.interrupt_kernel()
                interrupt_after = None
        raise AssertionError(f"the kernel did not answer within {SECONDS} s; it published {reply.published[-5:]}")
