// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

/** One subtask's share of the event loop; its calls are forgotten once it is closed. */
final class Lease {
  private final Thread holder;
  private final Loop loop;
  private volatile boolean open = true;

  Lease(Thread holder, Loop loop) {
    this.holder = holder;
    this.loop = loop;
  }

  Loop loop() {
    return loop;
  }

  boolean isOpen() {
    return open;
  }

  /** Whether the subtask ended without saying so. */
  boolean isAbandoned() {
    return !holder.isAlive();
  }

  /** Gives the share back; the last one stops the event loop. */
  void close() {
    open = false;
    Loop.release(this);
  }
}
