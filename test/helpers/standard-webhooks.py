"""Verifies deliveries with the standardwebhooks package: one a line in, {"secret", "headers", "body"}, the body in base64; out, a line
for each, null where it is genuine, or why it is not."""

import base64
import json
import sys

from standardwebhooks.webhooks import Webhook

for line in sys.stdin:
    delivery = json.loads(line)
    try:
        Webhook(delivery["secret"]).verify(base64.b64decode(delivery["body"]), delivery["headers"])
        print("null")
    except Exception as error:
        print(json.dumps(str(error) or type(error).__name__))
