#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A stock YNL client drives the family from fiber.yaml alone.

The client is tools/net/ynl of a kernel tree, which YNL= names (the folder that
holds lib/); the specification and its schema are SPEC= and SCHEMA=. None of
them knows more of fiber than fiber.yaml says.
"""
import os
import subprocess
import sys
import time

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
SPEC = os.environ.get("SPEC", DATA + "/fiber.yaml")
SCHEMA = os.environ.get("SCHEMA", DATA + "/genetlink-legacy.yaml")
sys.path.insert(0, os.environ.get("YNL", DATA + "/ynl"))

KSFT_SKIP = 4
PATIENCE_S = 20


def skip(why):
    print("1..0 # SKIP", why)
    sys.exit(KSFT_SKIP)


try:
    from lib import NlError, YnlFamily
except ImportError as error:
    skip(f"no YNL client: {error}")


def fork_child():
    pid = os.fork()
    if not pid:
        os._exit(7)
    os.waitpid(pid, 0)
    return pid


def test_info(fiber):
    info = fiber.do("info-get", {})
    assert info["version"], info
    assert info["watches"] == 0 and info["watches-max"] > 0, info
    assert "events" in info["features"], info


def test_process(fiber):
    me = fiber.do("process-get", {"pid": os.getpid()})["process"]
    assert me["pid"] == os.getpid() and me["ppid"] == os.getppid(), me
    assert me["version"] == 1 and me["threads"] == 1, me
    assert me["state"] == "running", me
    assert me["runtime-ns"] == me["utime-ns"] + me["stime-ns"] > 0, me
    with open("/proc/self/comm", encoding="ascii") as comm:
        assert bytes(me["comm"]).rstrip(b"\0").decode() == comm.read().strip(), me


def test_process_dump(fiber):
    pids = [r["process"]["pid"] for r in fiber.dump("process-get", {})]
    assert len(pids) == len(set(pids)) and {1, 2, os.getpid()} <= set(pids), pids
    kernel = fiber.dump("process-get", {"kinds": ["kernel"]})
    assert kernel and all("kernel-thread" in r["process"]["flags"] for r in kernel)
    mine = fiber.dump("process-get", {"pid": os.getpid()})
    assert [r["process"]["pid"] for r in mine] == [os.getpid()], mine


def test_thread(fiber):
    me = fiber.do("thread-get", {"tid": os.getpid()})
    assert me["thread"]["tid"] == me["thread"]["pid"] == os.getpid(), me
    assert "leader" in me["thread"]["flags"], me
    allowed = sum(1 << cpu for cpu in os.sched_getaffinity(0))
    assert me["affinity"][0] == allowed, me


def test_thread_dump(fiber):
    got = fiber.dump("thread-get", {"pid": os.getpid(), "want": ["affinity"]})
    assert [r["thread"]["tid"] for r in got] == [os.getpid()], got
    assert got[0]["affinity"], got
    assert "affinity" not in fiber.dump("thread-get", {"pid": os.getpid()})[0]


def test_watch(fiber):
    watch = fiber.do("watch", {"pid": os.getpid(), "kinds": ["sleep", "slice"]})
    for _ in range(5):
        time.sleep(0.01)
    hist = fiber.do("hist-get", {"id": watch["id"]})
    assert hist["pid"] == os.getpid() and hist["since-ns"] > 50e6, hist
    kinds = {h["kind"]: h for h in hist["hist"]}
    assert set(kinds) == {"sleep", "slice"}, hist
    assert kinds["sleep"]["count"] >= 5, hist
    assert sum(kinds["sleep"]["buckets"]) == kinds["sleep"]["count"], hist
    assert len(kinds["sleep"]["buckets"]) == 40, hist
    assert [w["id"] for w in fiber.dump("hist-get", {})] == [watch["id"]]
    fiber.do("unwatch", {"id": watch["id"]})
    assert fiber.dump("hist-get", {}) == []


def events_of(fiber, pid):
    """What has come of one process, by type; waits for its exit."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        fiber.check_ntf()
        got = {m["msg"]["type"]: m["msg"] for m in fiber.async_msg_queue
               if m["name"] == "event" and m["msg"].get("pid") == pid}
        if "exit" in got:
            return got
        time.sleep(0.02)
    raise AssertionError(f"no exit event of {pid}: {fiber.async_msg_queue}")


def test_events(fiber):
    fiber.do("subscribe", {"types": ["fork", "exit"]})
    pid = fork_child()
    got = events_of(fiber, pid)
    assert got["fork"]["ppid"] == os.getpid(), got
    assert got["exit"]["exit-code"] == 7 << 8, got
    assert got["exit"]["process"]["pid"] == pid, got
    fiber.do("unsubscribe", {})


def test_group(fiber):
    first, second = fiber.do("group-create", {}), fiber.do("group-create", {})
    assert first["id"] != second["id"] and first["fd"] != second["fd"], (first, second)
    assert fiber.do("info-get", {})["groups"] == 2
    os.close(first["fd"])
    os.close(second["fd"])
    info = fiber.do("info-get", {})
    assert info["groups"] == info["members"] == 0 < info["groups-user-max"], info


def test_refusals(fiber):
    for op, request in (("process-get", {}), ("thread-get", {"tid": 0x3ffffff}),
                        ("unsubscribe", {}), ("unwatch", {"id": 99})):
        try:
            fiber.do(op, request)
        except NlError as refusal:
            assert refusal.nl_msg.extack["msg"], refusal
        else:
            raise AssertionError(f"{op} {request} was not refused")


def test_genl_ctrl_list(_fiber):
    try:
        listed = subprocess.run(["genl-ctrl-list"], check=True, text=True,
                                capture_output=True).stdout
    except FileNotFoundError:
        return "SKIP no genl-ctrl-list (libnl-utils)"
    assert "fiber" in listed, listed
    return None


def test_schema(_fiber):
    """Made with the schema, unlike the others: this is what takes time."""
    try:
        import jsonschema  # pylint: disable=unused-import,import-outside-toplevel
    except ImportError:
        return "SKIP no jsonschema"
    YnlFamily(SPEC, SCHEMA)
    return None


TESTS = [test_schema, test_info, test_process, test_process_dump, test_thread, test_thread_dump,
         test_watch, test_events, test_group, test_refusals, test_genl_ctrl_list]


def run(number, test):
    """One test, with a client of its own. Returns whether it passed."""
    name = test.__name__.removeprefix("test_")
    try:
        said = test(YnlFamily(SPEC, ""))
    except (AssertionError, KeyError, NlError, OSError) as error:
        print(f"# {name}: {type(error).__name__}: {error}".replace("\n", "\n# "))
        print(f"not ok {number} {name}")
        return False
    print(f"ok {number} {name}" + (f" # {said}" if said else ""), flush=True)
    return True


def main():
    try:
        YnlFamily(SPEC, "")
    except Exception as error:  # pylint: disable=broad-except
        if "not supported" in str(error):
            skip("the kernel has no family \"fiber\"")
        raise
    print("TAP version 13")
    print(f"1..{len(TESTS)}")
    passed = [run(number, test) for number, test in enumerate(TESTS, 1)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
