"""A hostile attendee's submissions: autopilots and models, each with its possible failures.

None as a failure means that the submission keeps answering, and has gained nothing from the attempt.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from onnx_models import raw_output, save_constant_model

from brakepoint.detector import SHIPPED_MODEL
from brakepoint.room.outcomes import Failure

F = Failure
NAMES = "{0: 'DangerAhead', 1: 'SpeedLimit'}"
HEAD = """
import ctypes, errno, json, os, platform, resource, signal, struct, sys, time
from brakepoint.messages import Order, OrderKind, Reason
from brakepoint.room.system_calls import MACHINES
libc = ctypes.CDLL(None, use_errno=True)

def order(now, **more):
    return Order(kind=OrderKind.LOW_SPEED, reason=Reason.CLEAR, at=now, **more)

def call(name, *arguments):
    # What the kernel says to a system call, past all of Python.
    calls = MACHINES[platform.machine()]
    number = name if isinstance(name, int) else calls.clone if name == "clone" else calls.refused.get(name)
    if number is not None and libc.syscall(number, *arguments) != -1:
        raise SystemExit(f"THROUGH {name}")

def say(content):
    # Writes into every descriptor that may lead outside.
    for descriptor in range(3, 64):
        try: os.write(descriptor, content)
        except OSError: pass

def frame(answer):
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return struct.pack("!I", len(content)) + content

def step(memory, detections, state, now):
"""

FIVE = ("a sleeper", "an endless loop", "memory in small pieces", "half a character", "a file in memory")
"""The submissions of the hostile attendees when a whole room is simulated."""


def step(*lines: str, answers: bool = True) -> bytes:
    """An autopilot whose step does this, and then drives on."""
    end = ["return memory, order(now)"] if answers else []
    return (HEAD + "".join(f"    {line}\n" for line in [*lines, *end])).encode()


def raising(expression: str) -> bytes:
    return step(f"raise RuntimeError({expression})")


AUTOPILOTS: dict[str, tuple[bytes, set[Failure | None]]] = {
    # What it says.
    "half a character": (raising(r"'\ud800'"), {F.RAISED}),
    "a title for the terminal": (raising(r"'\x1b]0;mine\x07'"), {F.RAISED}),
    "a cleared screen": (raising(r"'\x1b[2J\x1b[H'"), {F.RAISED}),
    "a line of scores": (raising(r"'x\nanna: score 100, mAP50 1.00'"), {F.RAISED}),
    "a turned line": (raising(r"'\u202egnp'"), {F.RAISED}),
    "ten million characters": (raising("'x' * 10_000_000"), {F.RAISED, F.NO_ORDER}),
    "a name of half a character": (step(r"raise type('\udfff', (Exception,), {})()"), {F.RAISED}),
    "words that raise": (
        step("class E(Exception):", "    def __str__(self): raise ValueError('no')", "raise E()"),
        {F.RAISED, F.DIED},
    ),
    "words that never end": (
        step("class E(Exception):", "    def __str__(self):", "        while True: pass", "raise E()"),
        {F.TOO_SLOW, F.TOO_LONG},
    ),
    "words that are none": (
        step("class E(Exception):", "    def __str__(self): return 7", "raise E()"),
        {F.RAISED, F.DIED},
    ),
    "a group of exceptions": (
        step("raise BaseExceptionGroup('g', [KeyboardInterrupt(), SystemExit('\\x1b[2J')])"),
        {F.RAISED},
    ),
    # Time.
    "a sleeper": (step("time.sleep(0.9)"), {F.TOO_LONG}),
    "a deep sleeper": (step("time.sleep(1000)"), {F.TOO_SLOW, F.TOO_LONG}),
    "an endless loop": (step("while True: pass"), {F.TOO_SLOW, F.TOO_LONG}),
    "an endless loop on loading": (b"while True: pass", {F.TOO_SLOW, F.TOO_LONG}),
    "a pattern that explodes": (
        step("import re; re.match('(a+)+$', 'a' * 60 + 'b')"),
        {F.TOO_SLOW, F.TOO_LONG},
    ),
    "a number that explodes": (step("x = 7 ** 7 ** 9"), {F.TOO_SLOW, F.TOO_LONG, F.MEMORY}),
    "who stops itself": (step("os.kill(os.getpid(), signal.SIGSTOP)"), {F.TOO_SLOW, F.TOO_LONG}),
    "who hears no signal": (
        step(
            "for n in range(1, 65):",
            "    try: signal.signal(n, signal.SIG_IGN)",
            "    except (OSError, ValueError): pass",
            "while True: pass",
        ),
        {F.TOO_SLOW, F.TOO_LONG},
    ),
    "half an answer": (step("say(b'\\x00\\x00')", "time.sleep(1000)"), {F.TOO_SLOW, F.TOO_LONG}),
    # Memory.
    "all the memory": (step("everything = bytearray(8 << 30)"), {F.MEMORY}),
    "memory in small pieces": (step("kept = []", "while True: kept.append(bytearray(1 << 16))"), {F.MEMORY}),
    "a file in memory": (step("os.memfd_create('m')"), {F.RAISED}),
    "a file in memory, past Python": (
        step("call('memfd_create', b'm', 0); call('memfd_secret', 0)"),
        {None, F.DIED, F.RAISED},
    ),
    "shared memory": (step("call('shmget', 0, 3 << 30, 0o1600); call('shmat', 0, 0, 0)"), {None}),
    "shared memory of another kind": (
        step(
            "from multiprocessing.shared_memory import SharedMemory",
            "SharedMemory(create=True, size=3 << 30)",
        ),
        {F.FILE, F.RAISED},
    ),
    "shared pages": (step("import mmap; m = mmap.mmap(-1, 3 << 30)"), {F.RAISED, F.MEMORY}),
    "pipes full of bytes": (
        step(
            "import fcntl",
            "while True:",
            "    r, w = os.pipe()",
            "    os.set_blocking(w, False)",
            "    fcntl.fcntl(w, 1031, 1 << 20)",
            "    os.write(w, b'x' * (1 << 20))",
        ),
        {F.RAISED},
    ),
    "many open files": (step("kept = [os.open('/dev/null', 0) for _ in range(10_000)]"), {F.RAISED, F.FILE}),
    "locked pages": (step("call('mlock', ctypes.create_string_buffer(1 << 20), 1 << 20)"), {None}),
    "a queue of messages": (
        step("call('mq_open', b'q', 0o102, 0o600, 0); call('msgget', 0, 0o1600)"),
        {None},
    ),
    # Others.
    "a fork bomb": (step("while True: os.fork()"), {F.PROCESS}),
    "a fork, past Python": (
        step("for n in ('fork', 'vfork', 'clone', 'clone3'): call(n, 17, 0, 0, 0, 0)"),
        {None},
    ),
    "a thread": (step("import threading; threading.Thread(target=print).start()"), {F.RAISED}),
    "another program": (step("import subprocess; subprocess.run(['ls'])"), {F.PROCESS}),
    "another program, spawned": (step("os.posix_spawn('/usr/bin/true', ['true'], {})"), {F.PROCESS}),
    "another program in its place": (step("os.execv('/usr/bin/true', ['true'])"), {F.PROCESS}),
    "another program in its place, past Python": (
        step("libc.execve(b'/usr/bin/true', (ctypes.c_char_p * 2)(b'true', None), None)"),
        {F.DIED},
    ),
    "a signal to everybody": (step("os.kill(-1, signal.SIGKILL)"), {F.RAISED, F.DIED}),
    "a signal to the first process": (step("os.kill(1, signal.SIGKILL)"), {None, F.RAISED, F.DIED}),
    "another's memory": (
        step("call('ptrace', 16, 1, 0, 0); call('process_vm_readv', 1, 0, 0, 0, 0, 0)"),
        {None},
    ),
    # The network.
    "the network": (step("import socket; socket.socket()"), {F.NETWORK}),
    "a pair of sockets": (step("import socket; socket.socketpair()"), {F.NETWORK, F.RAISED}),
    "the network, past Python": (step("for kind in (1, 2, 10, 16): call('socket', kind, 1, 0)"), {None}),
    "names of the network": (step("import socket; socket.getaddrinfo('example.org', 80)"), {F.NETWORK}),
    # Files.
    "the list of users": (step("open('/etc/passwd').read()"), {F.FILE}),
    "another's environment": (step("open('/proc/1/environ').read()"), {F.FILE}),
    "its own memory as a file": (step("open('/proc/self/mem', 'r+b')"), {F.FILE}),
    "a file in the kit": (step("open('/kit/brakepoint/rules.py', 'a')"), {F.RAISED, F.FILE}),
    "what it handed in": (step("os.unlink(__file__)"), {F.RAISED, F.FILE}),
    "a file of its own": (
        step(
            "for place in (b'/x', b'/tmp/x', b'/dev/shm/x', b'/work/x', b'/dev/x'):",
            "    if libc.open(place, 0o102, 0o600) != -1: raise SystemExit('THROUGH')",
        ),
        {None},
    ),
    "the devices": (
        step(
            "for place in (b'/dev/mem', b'/dev/kvm', b'/dev/fuse', b'/dev/sda', b'/dev/tty'):",
            "    if libc.open(place, 2) != -1: raise SystemExit('THROUGH')",
        ),
        {None},
    ),
    "feeds by their names": (
        step("from brakepoint.feeds import feed_names", "if feed_names(): raise SystemExit('THROUGH')"),
        {None, F.FILE},
    ),
    # Rights.
    "root": (
        step(
            "for change in (libc.setuid, libc.setgid, libc.seteuid):",
            "    if change(0) != -1: raise SystemExit('THROUGH')",
        ),
        {None},
    ),
    "higher limits": (
        step(
            "for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):",
            "    try: resource.setrlimit(kind, (1 << 40, 1 << 40))",
            "    except (ValueError, OSError): continue",
            "    raise SystemExit('THROUGH')",
        ),
        {None},
    ),
    "a world of its own": (
        step("for n in ('unshare', 'setns', 'chroot', 'pivot_root'): call(n, 0x10000000, 0, 0)"),
        {None},
    ),
    "a mount": (
        step("call('mount', b'none', b'/work', b'tmpfs', 0, 0); call('fsopen', b'tmpfs', 0)"),
        {None},
    ),
    "the kernel's corners": (
        step(
            "for n in ('bpf', 'userfaultfd', 'io_uring_setup', 'perf_event_open', 'keyctl', 'add_key'):",
            "    call(n, 0, 0, 0, 0, 0)",
            "call('open_by_handle_at', 0, 0, 0); call('fanotify_init', 0, 0)",
        ),
        {None},
    ),
    "the other numbers": (step("call(0x40000000 + 319, b'm', 0); call(0x40000000 + 41, 2, 1, 0)"), {None}),
    # What comes out.
    "no order": (b"def step(*given): return 42", {F.NO_ORDER}),
    "an order that cannot be": (
        step("return memory, Order.model_construct(kind='fly', reason='clear', at=now)"),
        {F.NO_ORDER},
    ),
    "an order that is late for ever": (step("return memory, order(1e308)"), {None}),
    "an order of its own class": (
        step(
            "class Mine(Order):",
            "    def model_dump(self, **how): return {'kind': 'brake\\ud800', 'at': 1e999, 'x': [[]] * 99}",
            "return memory, Mine(kind='brake', reason='clear', at=now)",
        ),
        {F.NO_ORDER},
    ),
    "an order as long as a book": (
        step(
            "class Mine(Order):",
            "    def model_dump(self, **how): return 'x' * 10_000_000",
            "return memory, Mine(kind='brake', reason='clear', at=now)",
        ),
        {F.NO_ORDER},
    ),
    "a flood": (step("say(b'x' * 100_000)"), {F.NO_ORDER}),
    "a length of four gigabytes": (step("say(struct.pack('!I', 0xFFFFFFFF))"), {F.NO_ORDER}),
    "an answer too many": (step("say(frame({'order': order(now).model_dump(mode='json')}) * 2)"), {None}),
    "a score": (step("say(frame({'score': 100, 'accomplished': True, 'map50': 1}))"), {F.NO_ORDER}),
    "a reason that is none": (step("say(frame({'reason': ['raised'], 'detail': {}}))"), {F.DIED}),
    "a reason with a reason": (
        step("say(frame({'reason': 'tries', 'detail': [[[]]] * 99}))"),
        {F.TRIES, F.DIED, F.RAISED},
    ),
    "brackets": (step("say(frame(b'[' * 200_000))"), {F.NO_ORDER}),
    "brackets in a word": (
        step("say(frame(b'{\"detail\":' + b'[' * 900 + b']' * 900 + b',\"reason\":\"x\"}'))"),
        {F.DIED, F.NO_ORDER},
    ),
    "a number as long as a book": (step("say(frame(b'{\"order\":' + b'9' * 100_000 + b'}'))"), {F.NO_ORDER}),
    "bytes that are no letters": (step("say(frame(b'\\xff\\xfe\\xfd'))"), {F.NO_ORDER}),
    "no number": (
        step('say(frame(b\'{"order": {"kind": "brake", "reason": "clear", "at": NaN}}\'))'),
        {F.NO_ORDER},
    ),
    # Endings.
    "an exit": (step("sys.exit(0)"), {F.RAISED}),
    "a sudden exit": (step("os._exit(0)"), {F.DIED}),
    "a crash": (step("ctypes.string_at(0)"), {F.DIED}),
    "without a bottom": (step("def f(): return f()", "f()"), {F.RAISED}),
    "without a bottom, past the limit": (
        step("sys.setrecursionlimit(1 << 30)", "def f(x): return f((x,))", "f(0)"),
        {F.DIED, F.MEMORY, F.RAISED, F.TOO_SLOW, F.TOO_LONG},
    ),
    "no autopilot": (b"x = 1", {F.RAISED}),
    "nonsense": (b"\x00\xff", {F.RAISED}),
    "brackets as a program": (b"x = " + b"(" * 100_000, {F.RAISED, F.DIED, F.MEMORY}),
    "who undoes the tripwire": (
        step("sys.addaudithook = None", "import gc; gc.collect()", "open('/etc/passwd')"),
        {F.FILE},
    ),
}


def _graph(
    nodes: list[onnx.NodeProto], initializers: list[onnx.TensorProto] | None = None
) -> onnx.ModelProto:
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, 64, 96))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "hostile", [picture], [output], initializers or [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    entry = model.metadata_props.add()
    entry.key, entry.value = "names", NAMES
    return model


def _bytes(model: onnx.ModelProto) -> bytes:
    return bytes(model.SerializeToString())


def _shape(*sides: int) -> onnx.TensorProto:
    return helper.make_tensor("shape", TensorProto.INT64, [len(sides)], sides)


def _outside() -> onnx.TensorProto:
    tensor = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def _named(names: str) -> Callable[[Path], bytes]:
    return lambda folder: save_constant_model(folder / "named.onnx", raw_output(), names=names).read_bytes()


def _valued(value: float) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        output = raw_output()
        output[...] = value
        return save_constant_model(folder / "valued.onnx", output, names=NAMES).read_bytes()

    return make


def _branch() -> onnx.ModelProto:
    inside = helper.make_graph([], "in", [], [helper.make_tensor_value_info("images", 1, (1, 3, 64, 96))])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return _graph(
        [helper.make_node("If", ["yes"], ["output"], then_branch=inside, else_branch=inside)], [yes]
    )


MODELS: dict[str, tuple[bytes | Callable[[Path], bytes], set[Failure | None]]] = {
    "nothing": (b"", {F.MODEL_UNFIT}),
    "no model": (b"no model", {F.MODEL_UNFIT}),
    "zeros": (b"\0" * 1_000_000, {F.MODEL_UNFIT}),
    "half a model": (SHIPPED_MODEL.read_bytes()[:100_000], {F.MODEL_UNFIT}),
    "a branch": (_bytes(_branch()), {F.MODEL_OPERATORS}),
    "an operator of another domain": (
        _bytes(_graph([helper.make_node("Python", ["images"], ["output"], domain="mine")])),
        {F.MODEL_OPERATORS},
    ),
    "values in another file": (
        _bytes(_graph([helper.make_node("Add", ["images", "value"], ["output"])], [_outside()])),
        {F.MODEL_OPERATORS},
    ),
    "a constant in another file": (
        _bytes(_graph([helper.make_node("Constant", [], ["output"], value=_outside())])),
        {F.MODEL_OPERATORS},
    ),
    "a filling of hundreds of gigabytes": (
        _bytes(_graph([helper.make_node("ConstantOfShape", ["shape"], ["output"])], [_shape(1, 6, 1 << 36)])),
        {F.MODEL_UNFIT, F.MEMORY, F.DIED, F.MODEL_SLOW, F.TOO_LONG},
    ),
    "an expansion of gigabytes": (
        _bytes(
            _graph(
                [helper.make_node("Expand", ["one", "shape"], ["output"])],
                [helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]), _shape(1, 6, 1 << 30)],
            )
        ),
        {F.MODEL_UNFIT, F.MEMORY, F.DIED, F.MODEL_SLOW, F.TOO_LONG},
    ),
    "no output": (_bytes(_graph([])), {F.MODEL_UNFIT, F.DIED}),
    "a picture for an answer": (
        _bytes(_graph([helper.make_node("Identity", ["images"], ["output"])])),
        {F.MODEL_UNFIT},
    ),
    "a graph that goes round": (
        _bytes(_graph([helper.make_node("Add", ["output", "images"], ["output"])])),
        {F.MODEL_UNFIT, F.DIED},
    ),
    "other classes": (_named("{0: 'Cat', 1: 'Dog'}"), {F.MODEL_CLASSES}),
    "classes that drive the terminal": (_named("{0: '\x1b[2J\x1b]0;mine\x07', 1: 'x'}"), {F.MODEL_CLASSES}),
    "classes that are code": (_named("__import__('os').system('id')"), {F.MODEL_UNFIT}),
    "classes in brackets": (_named("(" * 100_000), {F.MODEL_UNFIT, F.MEMORY, F.DIED}),
    "a million classes": (
        _named(str(dict(enumerate("x" * 1_000_000)))),
        {F.MODEL_CLASSES, F.MODEL_UNFIT, F.MODEL_SLOW, F.MEMORY, F.DIED},
    ),
    "classes without a name": (
        _named("{0: None, 1: float}"),
        {F.MODEL_CLASSES, F.MODEL_UNFIT},
    ),
    "no numbers": (_valued(float("nan")), {None, F.MODEL_UNFIT}),
    "no end": (_valued(float("inf")), {None, F.MODEL_UNFIT}),
    "far away": (_valued(3e38), {None, F.MODEL_UNFIT}),
}


def frame_of(content: bytes) -> bytes:
    """An answer as it leaves a sandbox."""
    return struct.pack("!I", len(content)) + content
