# SPDX-License-Identifier: BSD-2-Clause
"""What management of virtual machines tests, and NVMe's reservations said in SCSI."""

import prclient as pr

from .story import case

# KubeVirt: VMs on one node share the node's nexus, each through its own connection
VM1, VM2 = 0x12345678, 0x87654321


@case("KubeVirt: one VM registers")
def one_vm(t):
    t.equal(t.a.read_keys().keys, [], "keys before")
    t.register(t.a, VM1)
    t.state([VM1])


@case("KubeVirt: two VMs on one node are one initiator")
def two_vms_on_a_node(t):
    vm2 = t.a.connect()
    t.register(t.a, VM1)
    t.equal(vm2.read_keys().keys, [VM1], "keys that the second VM reads")
    t.conflict(vm2.out(pr.REGISTER, 0, VM2), "REGISTER of the second VM")
    t.state([VM1])
    t.good(vm2.out(pr.REGISTER, VM1, VM2), "REGISTER with the first VM's key")
    t.state([VM2])


@case("KubeVirt: VMs on two nodes are two initiators")
def two_nodes(t):
    t.register(t.a, VM1)
    t.register(t.b, VM2)
    t.state([VM1, VM2])


@case("tp-libvirt: a disk plugged into a guest, taken out and plugged in again")
def plugged(t):
    key = 0x123AAA
    for vm in (t.a, t.a.connect(), t.a.connect()):
        t.good(vm.out(pr.REGISTER, 0, key), "REGISTER")
        t.good(vm.out(pr.RESERVE, key, rtype=pr.WE_RO), "RESERVE")
        t.state([key], (key, pr.WE_RO))
        t.good(vm.out(pr.RELEASE, key, rtype=pr.WE_RO), "RELEASE")
        t.good(vm.out(pr.REGISTER, key, 0), "REGISTER with key 0")
        t.state([])


@case("tp-libvirt: what a guest holds stays when its disk is taken out")
def unplugged(t):
    key = 0x123AAA
    t.good(t.a.connect().out(pr.REGISTER, 0, key), "REGISTER")
    t.good(t.a.connect().out(pr.RESERVE, key, rtype=pr.WE_RO), "RESERVE")
    t.state([key], (key, pr.WE_RO))
    t.access(t.b, True, False, "another host")


# The sequence of the kernel's NVMe reservation test (blktests nvme/054): register,
# replace, unregister, acquire, preempt, release, clear, with a report after each.

@case("NVMe's sequence: register, replace, unregister, acquire, preempt, release, clear")
def nvme_sequence(t):
    with t.counted(1):
        t.register(t.a, 4)
    t.state([4])
    with t.counted(1):
        t.register(t.a, 5, old=4)
    t.state([5])
    with t.counted(1, differs="unregistering is not counted"):
        t.register(t.a, 0, old=5)
    t.state([])
    with t.counted(1):
        t.register(t.a, 4)
    with t.counted(0):
        t.reserve(t.a, 4, pr.WE)
    t.state([4], (4, pr.WE))
    with t.counted(1):
        t.preempt(t.a, 4, 4, pr.EA)
    t.attentions(t.a)
    t.state([4], (4, pr.EA))
    with t.counted(0):
        t.release(t.a, 4, pr.EA)
    t.state([4])
    with t.counted(1):
        t.clear(t.a, 4)
    t.state([])
