"""Runs Eclipse's tests of MQTT 3.1.1 brokers: FOLDER PORT, the folder being the one of client_test.py.

Their own command line cannot be used: unittest takes it for its own. Prints {"ran": how many, "failed": [names]}; what the tests say
themselves goes to stderr.
"""

import contextlib
import json
import os
import sys
import unittest

folder, port = sys.argv[1], int(sys.argv[2])
os.chdir(folder)
sys.path.insert(0, folder)
import client_test

# What their main block sets before it starts.
client_test.host = "127.0.0.1"
client_test.port = port
client_test.topics = ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")
client_test.wildtopics = ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")
client_test.nosubscribe_topics = ("test/nosubscribe",)

suite = unittest.defaultTestLoader.loadTestsFromTestCase(client_test.Test)
# It has a name that unittest does not find.
suite.addTest(client_test.Test("will_message_test"))
with contextlib.redirect_stdout(sys.stderr):
    result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = [test.id().split(".")[-1] for test, _ in result.failures + result.errors]
print(json.dumps({"ran": result.testsRun, "failed": failed}))
