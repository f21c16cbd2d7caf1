// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.egress;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * What waits for the writer: bounded in bytes, taken in handfuls, with a way to wait until all of it is written.
 *
 * <p>A taker that is idle gets what is there at once: batches form by themselves while a write is under way.
 */
final class WriteQueue {
  private static final int OVERHEAD = 64;

  private final long mostBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition drained = lock.newCondition();
  private final Deque<TypedValue> values = new ArrayDeque<>();
  private final List<String> unlinks = new ArrayList<>();
  private long bytes;
  private boolean woken;
  private boolean writing;
  private Throwable failure;
  private boolean closed;

  WriteQueue(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** Waits while the queue is full. */
  void put(TypedValue value) throws Exception {
    lock.lockInterruptibly();
    try {
      while (bytes > mostBytes && failure == null && !closed) {
        drained.await();
      }
      requireWriter();
      values.add(value);
      bytes += size(value);
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Keys to delete when there is time; wakes the taker up in any case. */
  void unlink(List<String> keys) {
    lock.lock();
    try {
      unlinks.addAll(keys);
      woken = true;
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for something to write and takes at most so many messages; the former handful counts as written. */
  List<TypedValue> take(int most, List<String> toUnlink) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      writing = false;
      drained.signalAll();
      while (values.isEmpty() && !woken && !closed) {
        filled.await();
      }
      List<TypedValue> taken = new ArrayList<>();
      while (!values.isEmpty() && taken.size() < most) {
        TypedValue value = values.poll();
        bytes -= size(value);
        taken.add(value);
      }
      woken = false;
      toUnlink.addAll(unlinks);
      unlinks.clear();
      writing = !taken.isEmpty();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything put so far is written. */
  void flush() throws Exception {
    lock.lockInterruptibly();
    try {
      while ((writing || !values.isEmpty()) && failure == null && !closed) {
        drained.await();
      }
      requireWriter();
    } finally {
      lock.unlock();
    }
  }

  void fail(Throwable cause) {
    lock.lock();
    try {
      failure = cause;
      drained.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      filled.signalAll();
      drained.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  private void requireWriter() throws Exception {
    if (failure != null) {
      throw new java.io.IOException("The egress could not write to Redis: " + failure.getMessage(), failure);
    }
    if (closed) {
      throw new InterruptedException("The egress was closed.");
    }
  }

  private static long size(TypedValue value) {
    return value.getValue().size() + OVERHEAD;
  }
}
