"""One terminal by Eclipse paho: logs in, subscribes to its commands, publishes a report, and prints the first command that comes.

Its one argument is JSON: port, transport, ca, cert, key, user, password, sn, report. Exit 3 where it was not let in.
"""

import json
import os
import sys

import paho.mqtt.client as mqtt

about = json.loads(sys.argv[1])
base = f"pos/v1/{about['user']}"


def on_connect(client, _userdata, _flags, reason, _properties):
    if reason.is_failure:
        print(reason, file=sys.stderr)
        os._exit(3)
    client.subscribe(f"{base}/cmd", qos=1)


def on_message(client, _userdata, message):
    print(message.payload.decode(), flush=True)
    client.disconnect()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=about["sn"], transport=about["transport"])
client.on_connect = on_connect
client.on_subscribe = lambda *_: client.publish(f"{base}/report", about["report"], qos=1)
client.on_message = on_message
if about.get("password"):
    client.username_pw_set(about["user"], about["password"])
if about.get("ca"):
    client.tls_set(ca_certs=about["ca"], certfile=about.get("cert"), keyfile=about.get("key"))
if about["transport"] == "websockets":
    client.ws_set_options(path="/mqtt")
client.connect("localhost" if about.get("ca") else "127.0.0.1", about["port"])
client.loop_forever()
