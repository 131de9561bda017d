package dev.caravan.source.tableau;

import dev.caravan.failure.FailureCode;
import java.util.Arrays;
import java.util.Optional;

/** What Tableau's error codes mean, and what to do about each. */
enum TableauFault {
  BAD_REQUEST("400000", FailureCode.SOURCE_REFUSED, "it cannot read the request"),
  BAD_FORMULA("400800", FailureCode.SOURCE_REFUSED, "a calculation of the query is wrong"),
  BAD_QUERY("400802", FailureCode.SOURCE_REFUSED, "the request is not as its API wants it"),
  INVALID_QUERY(
      "400803",
      FailureCode.SOURCE_REFUSED,
      "the query breaks one of its rules; compare the fields and filters with the data source"),
  TOO_LARGE(
      "400804", FailureCode.SOURCE_TOO_LARGE, "the answer would be too large; set more filters"),
  LOGIN_REFUSED(
      "401001",
      FailureCode.AUTH_FAILED,
      "it refuses the sign-in; check client id, secret, user name and site, that the connected app is enabled, and the clock"),
  SESSION_ENDED(
      "401002",
      FailureCode.AUTH_FAILED,
      "it does not accept the session, also after a new sign-in"),
  FEATURE_DISABLED(
      "403157",
      FailureCode.SOURCE_DENIED,
      "the VizQL Data Service is disabled; its administrator can enable it"),
  NO_API_ACCESS(
      "403800",
      FailureCode.SOURCE_DENIED,
      "the user lacks the capability 'API Access' on the data source"),
  UNKNOWN_FIELD(
      "404934",
      FailureCode.SOURCE_REFUSED,
      "the data source does not have one of the fields; correct the mapping"),
  NO_SUCH_CALL(
      "404950",
      FailureCode.SOURCE_REFUSED,
      "it does not know the call; its version may be too old for the VizQL Data Service"),
  TIMEOUT("408000", FailureCode.SOURCE_UNAVAILABLE, "the query took it too long"),
  TOO_MANY_REQUESTS(
      "429000",
      FailureCode.SOURCE_LIMIT,
      "the queries of this hour are used up; each Creator licence of the site gives 100"),
  SERVER_ERROR("500000", FailureCode.SOURCE_UNAVAILABLE, "it has an error of its own"),
  EMPTY_TABLE(
      "500810", FailureCode.SOURCE_UNAVAILABLE, "its data engine answered with an empty table"),
  MISSING_TABLE("500811", FailureCode.SOURCE_UNAVAILABLE, "its data engine did not answer"),
  SERVICE_DOWN("503800", FailureCode.SOURCE_UNAVAILABLE, "the VizQL Data Service is down"),
  GATEWAY_TIMEOUT("504000", FailureCode.SOURCE_UNAVAILABLE, "its data engine took too long");

  private final String number;
  private final FailureCode code;
  private final String meaning;

  TableauFault(String number, FailureCode code, String meaning) {
    this.number = number;
    this.code = code;
    this.meaning = meaning;
  }

  static Optional<TableauFault> of(String number) {
    return Arrays.stream(values()).filter(fault -> fault.number.equals(number)).findFirst();
  }

  FailureCode code() {
    return code;
  }

  String meaning() {
    return meaning;
  }
}
