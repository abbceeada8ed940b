"""Worker processes, which leave Ctrl-C to their parent."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from brakepoint.errors import UserError

Item = TypeVar("Item")
Done = TypeVar("Done")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delays Ctrl-C until the end of the block, and blocks it permanently in processes started in the block.

    A terminal sends Ctrl-C to every process of a command. A process that is starting would die with a
    traceback, and a process that holds a lock would leave the others waiting for ever.
    """
    has_masks = hasattr(signal, "pthread_sigmask")  # Not available on Windows itself.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_masks else ()
    in_main = threading.current_thread() is threading.main_thread()
    asked: list[int] = []
    # Another thread may still receive the signal; Python then runs the handler in the main thread.
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number)) if in_main else None
    try:
        yield
    finally:
        if has_masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main:
            signal.signal(signal.SIGINT, before)
        if asked:
            signal.raise_signal(signal.SIGINT)


def can_share() -> bool:
    """Whether processes can share memory on this machine: they cannot if /dev/shm is missing or read-only."""
    try:
        multiprocessing.get_context("spawn").Lock()
    except (OSError, ImportError):
        return False
    return True


@contextmanager
def worker_pool(
    workers: int, initializer: Callable[..., None], initargs: tuple[Any, ...]
) -> Iterator[ProcessPoolExecutor]:
    """A pool of new processes, which are killed if an error or Ctrl-C ends the block.

    The pool starts its processes when work is submitted; so work must be submitted within `uninterrupted`.

    Args:
        workers: Number of processes.
        initializer: Called in each process.
        initargs: Arguments of `initializer`.

    Raises:
        UserError: A process was killed, for instance because memory ran out.
    """
    # The tracker enables Ctrl-C again after its start, which must not be within `uninterrupted`.
    resource_tracker.ensure_running()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start, (initializer, initargs))
    try:
        yield pool
    except BaseException as error:
        for worker in multiprocessing.active_children():
            worker.terminate()
        if isinstance(error, BrokenProcessPool):
            raise UserError("workers.died") from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    initializer(*initargs)


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed: otherwise it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def spread(work: Callable[[Item], Done], items: Sequence[Item], workers: int) -> Iterator[Iterator[Done]]:
    """Processes items in several processes, each on one core; yields results as they are completed.

    Args:
        work: Function for one item, which other processes can import, or a `partial` of one.
        items: In any order.
        workers: Number of processes; none is started for one worker, for a single item, or if processes
            cannot share memory.

    Raises:
        UserError: As for `worker_pool`, or raised by `work`.
    """
    if workers == 1 or len(items) < 2 or not can_share():
        yield map(work, items)
        return
    workers = min(workers, len(items))
    with worker_pool(workers, _begin, (_posted(pickle.dumps(work), workers),)) as pool:
        with uninterrupted():
            jobs = [pool.submit(_work_on, item) for item in items]
        yield (job.result() for job in as_completed(jobs))


def _posted(work: bytes, copies: int) -> Any:
    """A queue with a copy of the work for each worker: a large argument would delay its start."""
    queue = multiprocessing.get_context("spawn").Queue()
    queue.cancel_join_thread()  # Workers that were ended early do not take their copy.
    for _ in range(copies):
        queue.put(work)
    return queue


_work: Callable[[Any], Any] | None = None


def _begin(queue: Any) -> None:
    global _work
    _work = pickle.loads(queue.get())
    import cv2

    cv2.setNumThreads(1)


def _work_on(item: Any) -> Any:
    assert _work is not None
    return _work(item)
