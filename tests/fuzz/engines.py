# SPDX-License-Identifier: BSD-2-Clause
"""What looks for inputs: libFuzzer, and AFL++ on the same entry points (through main.c).

What an engine has grown and found is kept under a folder of its own, and
libFuzzer begins with what AFL++ has grown too.
"""

import os
import re
import subprocess
from dataclasses import dataclass

from harnesses import HARNESSES

SANITIZERS = "address,undefined"


@dataclass
class Report:
    cpu: float
    executions: int
    edges: str
    inputs: int
    found: list


def run(command, log, environment):
    """(exit status, seconds of the processor)."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env={**os.environ, **environment})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def files(*folders):
    return {f for folder in folders if folder.is_dir() for f in folder.iterdir() if f.is_file()}


def judge(status, new, log):
    """What was found; where the engine itself failed, its log."""
    return sorted(new) or ([log] if status != 0 else [])


class LibFuzzer:
    name = "libfuzzer"
    compiler = os.environ.get("CLANG", "clang")
    compile_flags = [f"-fsanitize=fuzzer-no-link,{SANITIZERS}"]
    link_flags = [f"-fsanitize=fuzzer,{SANITIZERS}"]
    sources = []
    ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
                   "UBSAN_OPTIONS": "print_stacktrace=1"}

    def __init__(self, cache):
        self.cache = cache

    def fuzz(self, name, program, seeds, seconds):
        grown, findings = self.cache / "corpus" / name, self.cache / "findings" / name
        for folder in (grown, findings):
            folder.mkdir(parents=True, exist_ok=True)
        before, log = files(findings), self.cache / f"{name}.log"
        read = [f for f in (seeds, Afl(self.cache).grown(name)) if f.is_dir()]
        status, cpu = run(
            [program, f"-max_total_time={seconds}", f"-max_len={HARNESSES[name][1]}", "-timeout=10",
             "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={findings}/", grown, *read],
            log, self.ENVIRONMENT)
        text = log.read_text(errors="replace")
        executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text) \
            or re.findall(r"^#(\d+)", text, re.M)
        covered = re.findall(r"cov: (\d+) ft:", text)
        return Report(cpu, int((executed or [0])[-1]), (covered or ["?"])[-1], len(files(grown)),
                      judge(status, files(findings) - before, log))


class Afl:
    name = "afl"
    compiler = os.environ.get("AFL_CC", "afl-clang-fast")
    compile_flags = link_flags = [f"-fsanitize={SANITIZERS}"]
    sources = ["main.c"]
    ENVIRONMENT = {"AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1", "AFL_NO_UI": "1", "AFL_AUTORESUME": "1",
                   "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1",
                   "ASAN_OPTIONS": "abort_on_error=1:symbolize=0:detect_leaks=0:allocator_may_return_null=1",
                   "UBSAN_OPTIONS": "abort_on_error=1:symbolize=0"}

    def __init__(self, cache):
        self.cache = cache / "afl"

    def grown(self, name):
        return self.cache / name / "default/queue"

    def fuzz(self, name, program, seeds, seconds):
        out, log = self.cache / name, self.cache / f"{name}.log"
        state = out / "default"
        kept = state / "crashes", state / "hangs"
        before = files(*kept)
        status, cpu = run(["afl-fuzz", "-i", seeds, "-o", out, "-V", str(seconds),
                           "-G", str(HARNESSES[name][1]), "-t", "2000", "--", program],
                          log, self.ENVIRONMENT)
        stats = state / "fuzzer_stats"
        told = dict(re.findall(r"^(\w+)\s*: (.*)$", stats.read_text() if stats.exists() else "", re.M))
        new = {f for f in files(*kept) - before if f.name != "README.txt"}
        return Report(cpu, int(told.get("execs_done", 0)), told.get("edges_found", "?"),
                      len(files(self.grown(name))), judge(status, new, log))
