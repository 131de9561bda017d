package dev.caravan.failure;

/**
 * Why a job or a load failed as a whole. The list is closed: the names are stored in the job record
 * and shown to callers, so a name is never reused for something else.
 */
public enum FailureCode {
  // the content of the file
  /** The file has no bytes, or none after the lines to skip. */
  EMPTY_FILE,
  /** A quoted field was opened and never closed; the line of its opening quote is named. */
  UNTERMINATED_QUOTE,
  /** One record is larger than the limit, most often a file without line ends. */
  ROW_TOO_LARGE,
  /** More columns than a PostgreSQL table can have. */
  TOO_MANY_COLUMNS,
  /** The header does not have the columns that the load needs. */
  HEADER_MISMATCH,
  /** Two columns of the header have the same name. */
  DUPLICATE_HEADER,
  /** A column of the header has no name. */
  EMPTY_HEADER,
  /** A name is longer than the 63 bytes that PostgreSQL keeps. */
  NAME_TOO_LONG,
  /**
   * A name holds a character that no identifier may hold (control characters, NUL), or is that of a
   * system column.
   */
  BAD_NAME,
  /** The lines end in a way that is not accepted (a carriage return alone). */
  LINE_ENDING,
  /** The file as a whole is not in the configured encoding, or hardly can be. */
  ENCODING,
  /** The file is a workbook, a web page, a PDF or something else that is certainly no CSV. */
  NOT_CSV,
  /** The source is to be JSON and is not, or no array or sequence of objects. */
  BAD_JSON,
  /** The trailer's count is not the number of data rows. */
  TRAILER_COUNT,
  /** Rows were refused and the load was told to fail on the first bad row. */
  ROWS_REJECTED,
  /** More rows were refused than the configured limit allows. */
  TOO_MANY_REJECTS,

  // the place that the file comes from
  /** The file ends before its announced size, or its trailer is missing. */
  SOURCE_INCOMPLETE(true),
  /** The file changed while it was being read. */
  SOURCE_CHANGED(true),
  /** The file is no longer there. */
  SOURCE_GONE(true),
  /** The server does not let us read the file. */
  SOURCE_DENIED,
  /** The server cannot be reached, or the connection broke. */
  SOURCE_UNAVAILABLE(true),
  /** The server's host key is unknown or is not the pinned one. */
  HOST_KEY,
  /** The server offers no algorithm that is safe enough. */
  SSH_ALGORITHMS,
  /** The server refused the password, the key or the token. */
  AUTH_FAILED,
  /** The server's certificate is not trusted, has expired or is for another name. */
  SOURCE_UNTRUSTED,
  /** The source refuses the request as it is; its own code is in the message. */
  SOURCE_REFUSED,
  /** The source answers, and not as it is to: no JSON, nothing where the records should be. */
  BAD_ANSWER,
  /** The source allows no more requests now. */
  SOURCE_LIMIT(true),
  /** The answer of the source is larger than a limit. */
  SOURCE_TOO_LARGE,
  /** A compressed file unpacks to more than the limits allow. */
  DECOMPRESS_LIMIT,
  /** A compressed file is damaged or of a kind that is not read. */
  ARCHIVE,

  // the target
  /**
   * The target is not a table that may be loaded: a view, a partition, a system or a Caravan table.
   */
  TARGET_NOT_ALLOWED,
  /** The target has no unique constraint on exactly the key columns. */
  NO_UNIQUE_KEY,
  /** The file has a column that the target does not have. */
  UNKNOWN_COLUMN,
  /** The target has a column, loaded before, that the file no longer has. */
  MISSING_COLUMN,
  /** A name of the file fits two columns of the target that differ only by case. */
  AMBIGUOUS_COLUMN,
  /** The file has a column whose values PostgreSQL generates itself. */
  GENERATED_COLUMN,
  /** A column of the target has another type than at the last load, or than the project says. */
  SCHEMA_DRIFT,
  /** A column of the target has a type whose values there are no rules for; it is named. */
  TYPE_UNSUPPORTED,
  /** A constraint, trigger or policy of the target refused the rows; it is named. */
  CONSTRAINT_VIOLATION,

  // the database
  /**
   * The database cannot be reached, is stopping, can only be read, has no memory, or the connection
   * broke.
   */
  DB_UNAVAILABLE(true),
  /** Deadlock, lock timeout or serialization failure. */
  DB_CONFLICT(true),
  /** The database server has no space left. */
  DB_DISK_FULL(true),
  /** The database role lacks a right. */
  DB_PERMISSION,
  /** The server is older than what Caravan needs. */
  DB_VERSION,
  /** Any other error of the database; its SQLSTATE is in the message. */
  DB_ERROR,

  // Caravan itself
  /** A callback URL goes where none may go; what is allowed is named. */
  CALLBACK_REFUSED,
  /** A setting or a project file is wrong; path, value and what is allowed are named. */
  CONFIG_INVALID,
  /** A stored secret cannot be decrypted: its key is missing, or its row was changed. */
  SECRET_UNREADABLE,
  /** No route brings this kind of records to this target. */
  NO_PROVIDER,
  /** The process ended or was stopped during the job. */
  INTERRUPTED(true),
  /** Another attempt of the job has taken its place; this one changes nothing any more. */
  SUPERSEDED,
  /** Somebody cancelled the job; nothing of it is in the target. */
  CANCELLED,
  /** The job ran longer than it may. */
  TIMEOUT,
  /** The job stood still for longer than it may. */
  NO_PROGRESS(true),
  /** No node took the job in the time in which it was to begin. */
  EXPIRED,
  /** The job took its node with it at each attempt, or said nothing. */
  ATTEMPTS_EXHAUSTED,
  /** The same thing is queued or running, and the trigger asked not to start it twice. */
  ALREADY_RUNNING,
  /** As many jobs of the tenant wait in the queue as may. */
  QUEUE_FULL(true),
  /** The idempotency key came before with another request. */
  IDEMPOTENCY_CONFLICT,
  /** Only a sync that failed is done again. */
  NOT_FAILED,
  /** The job is so far that it cannot be stopped: its rows are being committed or are. */
  TOO_LATE,
  /** A defect of Caravan. */
  INTERNAL;

  private final boolean retryable;

  FailureCode() {
    this(false);
  }

  FailureCode(boolean retryable) {
    this.retryable = retryable;
  }

  /** True when the same work may succeed later without anybody changing anything. */
  public boolean retryable() {
    return retryable;
  }
}
