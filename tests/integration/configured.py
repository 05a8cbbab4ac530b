# SPDX-License-Identifier: MIT
"""A stack whose workers have settings that only a configuration file can set."""
from stack import Stack


class Configured(Stack):
    """text: the workers' configuration file."""

    def __init__(self, text, **options):
        super().__init__(**options)
        self.text = text

    def program(self):
        path, conf = self.dir / "worker", self.dir / "worker.conf"
        conf.write_text(self.text)
        path.write_text(f"#!/bin/sh\nexec {super().program()} -c {conf}\n")
        path.chmod(0o755)
        return path
