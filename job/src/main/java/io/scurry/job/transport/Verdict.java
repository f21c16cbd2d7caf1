// SPDX-License-Identifier: Apache-2.0
package io.scurry.job.transport;

/** What an HTTP status says about the calls that its response left unanswered. */
enum Verdict {
  /** They may have been executed and will not be answered: the function's side gave up, or the process broke. */
  LOST,
  /** Not begun: the process is draining, not ready or overrun, another may take them. */
  ELSEWHERE,
  /** Not begun, and only a person can mend it: our addresses or limits are wrong. */
  MISPLACED,
  /** Not begun: too many bytes, which fewer calls would not have. */
  SPLIT;

  private static final int CLIENT_ERROR = 400;
  private static final int TOO_LARGE = 413;
  private static final int TOO_MANY = 429;
  private static final int SERVER_ERROR = 500;
  private static final int UNAVAILABLE = 503;

  /** The verdict on an exchange of this many calls. */
  static Verdict of(int status, int calls) {
    if (status == TOO_LARGE) {
      return calls > 1 ? SPLIT : LOST;
    }
    if (status == UNAVAILABLE || status == TOO_MANY) {
      return ELSEWHERE;
    }
    return status >= CLIENT_ERROR && status < SERVER_ERROR ? MISPLACED : LOST;
  }
}
