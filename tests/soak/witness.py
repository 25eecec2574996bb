# SPDX-License-Identifier: BSD-2-Clause
"""An honest client of the real daemon where there is no disk: each command is refused."""

import prclient as pr
from cluster import Cluster
from nexus import GivenUp, InDoubt

REFUSED = (5, 0x20, 0)


class Witness(Cluster):
    """`nodes`: with descriptors that are no disk."""

    def step(self):
        for node in self.nodes:
            for cdb, data in ((pr.cdb_in(pr.READ_KEYS), b""),
                              (pr.cdb_out(pr.REGISTER), pr.params(sark=1))):
                self._refused(node, cdb, data)

    def _refused(self, node, cdb, data):
        try:
            reply = node.exchange(cdb, data)
        except InDoubt:
            self.tally.event("commands in doubt")
            return
        if reply.code != REFUSED:
            self.tally.fail(f"{self.name}: not a disk, and {reply}")
            raise GivenUp

    def _members(self):
        return self.nodes

    def _settle(self):
        for node in self.nodes:
            self._refused(node, pr.cdb_in(pr.READ_KEYS), b"")
