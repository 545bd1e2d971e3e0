#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The policies that the kernel reports are those of fiber.yaml.

Asks the generic netlink controller for the family's policies and holds each
operation's against what its request takes by the specification: the same
attributes, with the same types, least values and masks. Kernels before 6.3
have one policy for the do and the dump of an operation; so an attribute may
be in both that only one takes, which the module then refuses itself.
"""
import os
import socket
import struct
import sys

import yaml

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
SPEC = os.environ.get("SPEC", DATA + "/fiber.yaml")

GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY = 3, 10
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
CTRL_ATTR_POLICY, CTRL_ATTR_OP_POLICY = 8, 9
CTRL_ATTR_POLICY_DO, CTRL_ATTR_POLICY_DUMP = 1, 2
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300

POLICY_TYPE, POLICY_MIN_U, POLICY_MASK = 1, 4, 12
TYPES = {1: "flag", 2: "u8", 3: "u16", 4: "u32", 5: "u64", 9: "s64", 10: "binary", 12: "string", 13: "nul-string"}
KSFT_SKIP = 4


def attrs(data):
    """The attributes in data, in order: (type, payload)."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def number(payload):
    return int.from_bytes(payload, sys.byteorder)


def ask(sock, cmd, flags, kind, payload):
    """The attributes of all answers."""
    attr = struct.pack("HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)
    sock.send(struct.pack("IHHII", 20 + len(attr), GENL_ID_CTRL, NLM_F_REQUEST | flags, 1, 0) +
              struct.pack("BBH", cmd, 2, 0) + attr)
    while True:
        data = sock.recv(65536)
        while data:
            length, msg = struct.unpack_from("IH", data)
            if msg == NLMSG_ERROR:
                raise OSError(-struct.unpack_from("i", data, 16)[0], "generic netlink controller")
            if msg == NLMSG_DONE:
                return
            yield from attrs(data[20:length])
            data = data[(length + 3) & ~3:]
        if not flags:
            return


def family_id(sock):
    for kind, payload in ask(sock, CTRL_CMD_GETFAMILY, 0, CTRL_ATTR_FAMILY_NAME, b"fiber\0"):
        if kind == CTRL_ATTR_FAMILY_ID:
            return payload
    raise OSError("no family id")


def kernel_policies(sock):
    """{cmd: {"do"|"dump": {attribute: {what: value}}}}"""
    tables, ops = {}, {}
    for kind, payload in ask(sock, CTRL_CMD_GETPOLICY, NLM_F_DUMP, CTRL_ATTR_FAMILY_ID,
                             family_id(sock)):
        for key, value in attrs(payload):
            if kind == CTRL_ATTR_OP_POLICY:
                ops[key] = {mode: number(index) for mode, index in attrs(value)}
            elif kind == CTRL_ATTR_POLICY:
                table = tables.setdefault(key, {})
                for attr, policy in attrs(value):
                    table.setdefault(attr, {}).update(
                        {what: number(v) for what, v in attrs(policy)})
    return {cmd: {name: tables.get(modes[mode], {})
                  for name, mode in (("do", CTRL_ATTR_POLICY_DO), ("dump", CTRL_ATTR_POLICY_DUMP))
                  if mode in modes}
            for cmd, modes in ops.items()}


def spec_masks(spec):
    return {d["name"]: (1 << len(d["entries"])) - 1
            for d in spec["definitions"] if d["type"] == "flags"}


def wanted(spec, op, mode):
    """{attribute: (name, type, least value, mask)} of a request."""
    table = next(s for s in spec["attribute-sets"] if s["name"] == op["attribute-set"])
    names = op[mode].get("request", {}).get("attributes", [])
    masks = spec_masks(spec)
    want = {}
    for value, attr in enumerate(table["attributes"], 1):
        if attr["name"] in names:
            checks = attr.get("checks", {})
            want[value] = (attr["name"], attr["type"], checks.get("min", 0),
                           masks.get(checks.get("flags-mask")))
    return want


def differences(op, mode, want, also, policy):
    for value, (name, kind, least, mask) in want.items():
        have = policy.get(value)
        where = f"{op['name']} {mode}: {name}"
        if have is None:
            yield f"{where}: not in the policy"
        elif TYPES.get(have.get(POLICY_TYPE)) != kind:
            yield f"{where}: type {have.get(POLICY_TYPE)}, not {kind}"
        elif have.get(POLICY_MIN_U, 0) != least:
            yield f"{where}: least value {have.get(POLICY_MIN_U)}, not {least}"
        elif have.get(POLICY_MASK) != mask:
            yield f"{where}: mask {have.get(POLICY_MASK)}, not {mask}"
    for value, have in policy.items():
        if value not in want and value not in also and have.get(POLICY_TYPE):
            yield f"{op['name']} {mode}: attribute {value} is not in the specification"


def check(spec, cmd, op, policies):
    """The differences of one operation."""
    modes = [mode for mode in ("do", "dump") if mode in op]
    both = {}
    for mode in modes:
        both.update(wanted(spec, op, mode))
    for mode in modes:
        want = wanted(spec, op, mode)
        policy = policies.get(cmd, {}).get(mode)
        if policy is None:
            if want:
                yield f"{op['name']} {mode}: the kernel reports no policy"
            continue
        yield from differences(op, mode, want, both, policy)


def main():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    try:
        policies = kernel_policies(sock)
    except OSError as error:
        print("1..0 # SKIP", error)
        return KSFT_SKIP
    with open(SPEC, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    ops = [(cmd, op) for cmd, op in enumerate(spec["operations"]["list"], 1) if "do" in op]
    failed = False
    print("TAP version 13")
    print(f"1..{len(ops)}")
    for index, (cmd, op) in enumerate(ops, 1):
        found = list(check(spec, cmd, op, policies))
        for line in found:
            print("#", line)
        print(f"{'not ' if found else ''}ok {index} {op['name']}")
        failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
