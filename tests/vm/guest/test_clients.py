# SPDX-License-Identifier: BSD-2-Clause
"""Many clients at once."""

from pathlib import Path

import prclient as pr
from case import Case
from waiting import wait_for

CLIENTS = 200


class ManyClients(Case):
    def test_at_once(self):
        """200 clients at once, each with commands of both kinds"""
        daemon = self.helper()
        fds = self.open(self.a.disk), self.open(self.b.disk)
        clients = [self.enterContext(daemon.client()) for _ in range(CLIENTS)]
        keys = [1 + n % 2 for n in range(CLIENTS)]
        for client, key in zip(clients, keys):      # all requests are under way ...
            client.send(pr.cdb_out(pr.REGISTER_AND_IGNORE), [fds[key - 1]])
            client.send(pr.params(sark=key))
        for client in clients:                      # ... before the first reply is read
            self.assertGood(client.reply())
        for client, key in zip(clients, keys):
            self.assertEqual(sorted(client.read_keys(fds[key - 1])[1]), [1, 2])

    def test_leaving(self):
        """clients that leave with a command under way trouble nobody"""
        daemon = self.helper()
        fd = self.open(self.a.disk)
        staying = self.enterContext(daemon.client())
        for _ in range(CLIENTS):
            with daemon.client() as client:
                client.send(pr.cdb_in(pr.READ_KEYS), [fd])
        self.assertEqual(staying.read_keys(fd)[1], [])
        fds = Path(f"/proc/{daemon.pid}/fd")
        wait_for(lambda: len(list(fds.iterdir())) < 30)
