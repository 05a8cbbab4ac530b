# SPDX-License-Identifier: MIT
"""A stack for tests that ask more often than nginx lets one client ask."""
from stack import Stack


class PatientStack(Stack):
    def request(self, method, path, host=0, **kw):
        """Asks again until the limit of requests lets it through."""

        def attempt():
            answer = super(PatientStack, self).request(method, path, host, **kw)
            return None if self.is_limited(answer) else [answer]

        return self.wait(attempt, 30, "the limit of requests")[0]

    @staticmethod
    def is_limited(answer):
        """The 429 of nginx; of a worker's the node is known."""
        return answer.status_code == 429 and "x-tft-node" not in answer.headers
