# SPDX-License-Identifier: BSD-2-Clause
"""What is left of its privileges, however it was started."""

import contextlib
import os
import pwd
import resource
import shutil

from daemon import Helper, Witness, capabilities, run_command, status
from harness import Lacking, case, contains, equal
from prclient import CHECK_CONDITION, cdb_in

DAC_OVERRIDE, SYS_RAWIO = 1, 17
RAWIO = 1 << SYS_RAWIO
NO_CAPS = {"Inh": 0, "Prm": 0, "Eff": 0, "Bnd": 0, "Amb": 0}
PLAIN = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
DIES = "as a plain user it dies in the privilege drop"


def serves(t, h):
    with h.client() as c:
        equal(c.request(t.open(), cdb_in(0)).status, CHECK_CONDITION)


def check_ids(pid, uid, gid, groups=()):
    fields = status(pid)
    equal([int(v) for v in fields["Uid"].split()], [uid] * 4, "user ids")
    equal([int(v) for v in fields["Gid"].split()], [gid] * 4, "group ids")
    equal([int(v) for v in fields["Groups"].split()], list(groups), "supplementary groups")


def only_rawio(pid, bounding=0):
    """In every thread, for capabilities belong to threads."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            have, fields = capabilities(f"{pid}/task/{thread}"), status(f"{pid}/task/{thread}")
        except OSError:
            continue       # a client's that has left
        equal(have, {**NO_CAPS, "Prm": RAWIO, "Eff": RAWIO, "Bnd": bounding}, "capabilities")
        equal(fields["NoNewPrivs"], "1", "no_new_privs")


def everybody(t):
    os.chmod(t.dir, 0o777)


@case(root=True, ours="the peer does not rule out new privileges")
def full_root(t):
    """root: CAP_SYS_RAWIO and nothing else, no groups, no_new_privs, in every thread"""
    h = Helper(t, preexec_fn=lambda: os.setgroups([4, 5, 6]))
    t.keep(h.client())
    serves(t, h)
    check_ids(h.pid, 0, 0)
    only_rawio(h.pid)


@case(root=True, ours="the peer does not rule out new privileges")
def user(t):
    """-u: that user and its group, CAP_SYS_RAWIO only"""
    nobody = pwd.getpwnam("nobody")
    for name in ("nobody", str(nobody.pw_uid)):
        h = Helper(t, "-u", name, preexec_fn=lambda: os.setgroups([4, 5, 6]))
        serves(t, h)
        check_ids(h.pid, nobody.pw_uid, nobody.pw_gid)
        only_rawio(h.pid)
        h.stop()


@case(root=True)
def group(t):
    """-g alone, -u and -g in either order"""
    nobody = pwd.getpwnam("nobody")
    for options, ids in ((["-g", "54321"], (0, 54321)),
                         (["-u", "nobody", "-g", "54321"], (nobody.pw_uid, 54321)),
                         (["-g", "54321", "-u", "nobody"], (nobody.pw_uid, 54321))):
        h = Helper(t, *options)
        serves(t, h)
        check_ids(h.pid, *ids)
        h.stop()


@case(root=True, defect="it stays in root's group")
def user_without_entry(t):
    """-u with an id that has no entry: not with root's group"""
    h = Helper(t, "-u", "12345")
    serves(t, h)
    gids = {int(v) for v in status(h.pid)["Gid"].split()}
    if 0 in gids:
        raise AssertionError(f"it runs as user 12345 with group ids {gids}")


@case(root=True, ours="the peer needs CAP_SETPCAP")
def small_bounding_set(t):
    """root with only CAP_SYS_RAWIO in the bounding set"""
    h = Helper(t, "-v", wrapper=["setpriv", "--bounding-set=-all,+sys_rawio"])
    serves(t, h)
    only_rawio(h.pid, bounding=RAWIO)
    contains(h.log(), "the bounding set is kept")
    equal(h.stop(), 0)
    equal(os.path.exists(h.socket), False, "the socket")


@case(root=True, ours="the peer needs CAP_SYS_ADMIN")
def no_rawio(t):
    """root without CAP_SYS_RAWIO runs and says so"""
    h = Helper(t, wrapper=["setpriv", "--bounding-set=-sys_rawio"])
    serves(t, h)
    equal(capabilities(h.pid), NO_CAPS, "capabilities")
    contains(h.log(), "CAP_SYS_RAWIO")


@case(root=True, ours="the peer needs CAP_SETPCAP")
def ambient(t):
    """a user with ambient CAP_SYS_RAWIO keeps it, and nothing else"""
    everybody(t)
    h = Helper(t, "-v", wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                 "--inh-caps=-all,+sys_rawio", "--ambient-caps=-all,+sys_rawio"])
    serves(t, h)
    check_ids(h.pid, 65534, 65534)
    only_rawio(h.pid, bounding=capabilities(h.pid)["Bnd"])
    equal(h.stop(), 0)
    equal(os.path.exists(h.socket), False, "the socket")


@case(root=True, ours="the peer needs CAP_SETPCAP")
def ambient_more(t):
    """a user with more ambient capabilities drops them"""
    everybody(t)
    h = Helper(t, wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "--inh-caps=-all,+sys_rawio,+sys_admin,+setpcap,+net_admin",
                           "--ambient-caps=-all,+sys_rawio,+sys_admin,+setpcap,+net_admin"])
    serves(t, h)
    only_rawio(h.pid)


@case(root=True, defect=DIES)
def plain_user(t):
    """a plain user: runs with what it has, says so, and removes its socket"""
    everybody(t)
    h = Helper(t, wrapper=PLAIN)
    w = Witness(t, h)
    equal(capabilities(h.pid)["Eff"], 0, "capabilities")
    contains(h.log(), "running without CAP_SYS_RAWIO")
    equal(status(h.pid)["NoNewPrivs"], "1", "no_new_privs")
    w.check()
    equal(h.stop(), 0)
    equal(os.path.exists(h.socket), False, "the socket")


@case(root=True, ours=DIES)
def plain_user_with_groups(t):
    """a plain user's supplementary groups cannot be dropped: told with -v"""
    everybody(t)
    h = Helper(t, "-v", wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--groups=4,5",
                                 "--inh-caps=-all"])
    serves(t, h)
    contains(h.log(), "supplementary groups are kept")


@case(root=True, each={"user": ["-u", "12345"], "group": ["-g", "12345"],
                       "root": ["-u", "root"]}, ours=DIES)
def cannot_change(t, options):
    """a plain user cannot change user or group: exit 1 with a message"""
    everybody(t)
    rc, _, err = run_command(t, "-k", t.path("s"), *options, wrapper=PLAIN)
    equal(rc, 1, "exit status")
    contains(err, "qemu-pr-helper: cannot change to ")
    equal(os.listdir(t.dir), [], "files left")


@case(root=True, ours=DIES)
def same_user(t):
    """a plain user may name itself"""
    everybody(t)
    h = Helper(t, "-u", "65534", "-g", "65534", wrapper=PLAIN)
    serves(t, h)


@case(root=True, ours="the peer needs CAP_SYS_RAWIO outside", each={
    "root inside": ["-r"], "a user inside": []})
def user_namespace(t, options):
    """in a user namespace it runs"""
    if not shutil.which("unshare") or os.system("unshare -Ur true 2>/dev/null"):
        raise Lacking("no user namespaces here")
    h = Helper(t, wrapper=["unshare", "-U", *options])
    serves(t, h)
    equal(capabilities(h.pid)["Eff"] & ~RAWIO, 0, "capabilities")
    equal(h.stop(), 0)
    equal(os.path.exists(h.socket), False, "the socket")


@case(root=True, release=True, ours="it has no sandbox", each={"root": [], "-u": ["-u", "nobody"]})
def sandbox(t, options):
    """a system call filter in every thread"""
    h = Helper(t, *options)
    t.keep(h.client())
    modes = []
    for thread in os.listdir(f"/proc/{h.pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):    # one that has just ended
            modes.append(status(f"{h.pid}/task/{thread}")["Seccomp"])
    equal(set(modes), {"2"}, "modes")
    equal(len(modes) >= 3, True, "main, log, and a client at least")


@case(root=True, release=True, ours="it has no sandbox")
def no_core(t):
    """a plain user's leaves no core, and is not dumpable: its /proc is root's"""
    everybody(t)
    h = Helper(t, wrapper=PLAIN, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)))
    serves(t, h)
    with open(f"/proc/{h.pid}/limits") as f:
        core, = (line.split()[4:6] for line in f if line.startswith("Max core file size"))
    equal(core, ["0", "0"], "limits of the core's size")
    equal(os.stat(f"/proc/{h.pid}/status").st_uid, 0, "owner of its /proc")


@case(root=True, ours="it has no keeper", each={"root": [], "-u": ["-u", "nobody"]})
def keeper(t, options):
    """the keeper has CAP_DAC_OVERRIDE and a filter before anybody is served, and is no parent of anything"""
    h = Helper(t, *options)
    pid, = h.keepers()
    mask = 1 << DAC_OVERRIDE
    equal(capabilities(pid), {**NO_CAPS, "Prm": mask, "Eff": mask}, "capabilities")
    equal(status(pid)["NoNewPrivs"], "1", "no_new_privs")
    equal(status(pid)["Seccomp"], "0" if t.sanitized else "2", "its filter")
    equal(os.readlink(f"/proc/{pid}/cwd"), "/", "its directory")


@case(root=True, ours="it has no keeper")
def keeper_of_plain_user(t):
    """a plain user's keeper has nothing"""
    everybody(t)
    h = Helper(t, wrapper=PLAIN)
    pid, = h.keepers()
    equal(capabilities(pid)["Eff"], 0, "capabilities")


@case(root=True, ours="it has no keeper")
def keeper_groups(t):
    """the keeper keeps no supplementary group"""
    h = Helper(t, preexec_fn=lambda: os.setgroups([4, 5, 6]))
    pid, = h.keepers()
    equal(status(pid)["Groups"].split(), [], "its groups")
