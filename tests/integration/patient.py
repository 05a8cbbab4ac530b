# SPDX-License-Identifier: MIT
"""A stack for tests that send more requests than nginx accepts from one client."""
from stack import Stack


class PatientStack(Stack):
    def request(self, method, path, host=0, **kw):
        """Repeats the request until nginx lets it through."""

        def attempt():
            answer = super(PatientStack, self).request(method, path, host, **kw)
            return None if self.is_limited(answer) else [answer]

        return self.wait(attempt, 30, "the limit of requests")[0]

    @staticmethod
    def is_limited(answer):
        """True for a 429 from nginx; the answer of a worker names its node."""
        return answer.status_code == 429 and "x-tft-node" not in answer.headers
