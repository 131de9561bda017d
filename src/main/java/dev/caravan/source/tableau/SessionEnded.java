package dev.caravan.source.tableau;

import dev.caravan.failure.CaravanException;
import dev.caravan.failure.FailureCode;

/** Tableau no longer accepts the session; for the route, which signs in again once. */
public final class SessionEnded extends CaravanException {

  SessionEnded(String message) {
    super(FailureCode.AUTH_FAILED, message);
  }
}
