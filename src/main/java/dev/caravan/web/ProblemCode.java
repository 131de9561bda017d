package dev.caravan.web;

/** Why a call was refused; the names are shown to callers and never reused for something else. */
enum ProblemCode {
  /** The request is not HTTP that Caravan takes. */
  BAD_REQUEST(400),
  /** The body is empty, no JSON, or no JSON object in UTF-8. */
  BAD_JSON(400),
  /** A query parameter or header is unknown, given twice, or has a value that is not allowed. */
  BAD_PARAMETER(400),
  /** No provider brings records of this type to this module. */
  NO_PROVIDER(400),
  /** Only a sync that failed is done again. */
  NOT_FAILED(400),
  /** There is no credential, or none that is valid now. */
  UNAUTHENTICATED(401),
  /** The role of the caller does not allow the call. */
  FORBIDDEN(403),
  /** There is no such thing, or it is another tenant's. */
  NOT_FOUND(404),
  /** The path is right, the method is not; the header Allow has those that are. */
  METHOD_NOT_ALLOWED(405),
  /** The call does not fit the state of the thing. */
  CONFLICT(409),
  /** The job has ended, or its rows are being committed. */
  TOO_LATE(409),
  /** The same thing is queued or running, and the trigger asked not to start it twice. */
  ALREADY_RUNNING(409),
  /** The body is larger than the call takes. */
  TOO_LARGE(413),
  /** The body is of a type that the call does not take. */
  UNSUPPORTED_MEDIA_TYPE(415),
  /** The body is JSON and breaks the rules of the call; errors says where. */
  INVALID(422),
  /** The idempotency key came before with another request. */
  IDEMPOTENCY_CONFLICT(422),
  /** The callback URL is not one that Caravan calls. */
  CALLBACK_REFUSED(422),
  /**
   * Too many failed logins from the address or for the key, or too many calls of the tenant that
   * follow jobs or wait for its servers; Retry-After says how long to wait.
   */
  TOO_MANY_REQUESTS(429),
  /** As many uploads as may be are under way; Retry-After says how long to wait. */
  TOO_MANY_UPLOADS(429),
  /** As many jobs of the tenant wait in the queue as may; Retry-After says how long to wait. */
  QUEUE_FULL(429),
  /** The request head is too large. */
  HEAD_TOO_LARGE(431),
  /** A defect of Caravan; its log has more. */
  INTERNAL(500),
  /** The SFTP server or the database of the project failed; detail says how. */
  SOURCE_FAILED(502),
  /**
   * The source of a sync answers, and refuses, or not as it is to; no job was made. The same call
   * will be answered so again until somebody changes something: a setting, the source.
   */
  SOURCE_REFUSED(502),
  /** The database does not answer. */
  DB_UNAVAILABLE(503),
  /** The source of a sync cannot be reached, or wants to be left alone, now; no job was made. */
  SOURCE_UNAVAILABLE(503),
  /** The disk of the database has no room left but its reserve. */
  INSUFFICIENT_STORAGE(507);

  private final int status;

  ProblemCode(int status) {
    this.status = status;
  }

  /** The HTTP status that goes with it. */
  int status() {
    return status;
  }
}
