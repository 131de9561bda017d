package dev.caravan.pgload;

/**
 * One difference between a load and the table, or the last load of its pipeline.
 *
 * @param column of the target, or of the file when the target does not have it
 * @param before its type; null when it is new
 * @param after its type; null when it is no longer loaded
 */
record Drift(Kind kind, String column, String before, String after) {

  enum Kind {
    /** In the file, not in the table, which gets it. */
    ADDED,
    /** In the file, not in the table; left out. */
    DISCARDED,
    /** In the last file, not in this one. */
    REMOVED,
    /** Another type in the table. */
    RETYPED
  }

  /** For people, with the code in front. */
  String warning() {
    String what =
        switch (kind) {
          case ADDED -> "is new in the file and was added to the table as " + after;
          case DISCARDED -> "is new in the file and is not loaded";
          case REMOVED -> "is no longer in the file and keeps its values";
          case RETYPED -> "was " + before + " at the last load and is " + after + " now";
        };
    return "SCHEMA_DRIFT: column '%s' %s".formatted(column, what);
  }
}
