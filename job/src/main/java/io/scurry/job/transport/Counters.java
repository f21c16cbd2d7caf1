// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

/** What one set of processes has been asked so far; written by the event loop only. */
final class Counters {
  volatile long exchanges;
  volatile long calls;
  volatile long answers;
  volatile long retries;
  volatile long bounces;
  volatile long connects;

  @SuppressWarnings("NonAtomicOperationOnVolatileField") // a single writer
  void exchange(int size) {
    exchanges++;
    calls += size;
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField")
  void answer() {
    answers++;
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField")
  void retry() {
    retries++;
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField")
  void bounce() {
    bounces++;
  }

  @SuppressWarnings("NonAtomicOperationOnVolatileField")
  void connect() {
    connects++;
  }

  @Override
  public String toString() {
    return String.format(
        "%d calls in %d exchanges (%.1f each), %d answered, %d retried, %d bounced, %d connections",
        calls, exchanges, exchanges == 0 ? 0.0 : (double) calls / exchanges, answers, retries, bounces, connects);
  }
}
