package dev.caravan;

import dev.caravan.job.JobEnd;
import dev.caravan.job.JobListener;
import dev.caravan.job.JobLoad;
import java.io.PrintStream;
import java.util.Locale;
import java.util.regex.Pattern;

/** Prints a line for each file as its job ends, below one header. */
final class FileTable implements JobListener {

  private static final String FORMAT = "%-28s %-26s %9s %9s %9s %10s %8s %9s  %s%n";

  /** Control characters, line and paragraph ends, and what turns the direction of writing. */
  private static final Pattern CONTROL =
      Pattern.compile("[\\p{Cc}\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]");

  private final PrintStream out;
  private boolean headerPrinted;

  FileTable(PrintStream out) {
    this.out = out;
  }

  @Override
  public synchronized void ended(JobEnd end) {
    for (JobLoad file : end.loads()) {
      if (!headerPrinted) {
        headerPrinted = true;
        out.printf(
            Locale.ROOT,
            FORMAT,
            "file",
            "table",
            "inserted",
            "updated",
            "unchanged",
            "superseded",
            "rejected",
            "rows/s",
            "");
      }
      out.printf(
          Locale.ROOT,
          FORMAT,
          plain(file.label()),
          file.table() == null ? "-" : plain(file.table()),
          file.count("inserted"),
          file.count("updated"),
          file.count("unchanged"),
          file.count("superseded"),
          file.count("rejected"),
          rowsPerSecond(file),
          plain(note(file)));
    }
  }

  /** With escapes for what a terminal would obey: values and names come from outside. */
  static String plain(String text) {
    return CONTROL
        .matcher(text)
        .replaceAll(found -> "\\\\u%04x".formatted((int) found.group().charAt(0)));
  }

  private static String rowsPerSecond(JobLoad file) {
    if (file.status() != JobLoad.Status.LOADED || file.elapsed() == null) {
      return "-";
    }
    double seconds = Math.max(file.elapsed().toNanos() / 1e9, 1e-3);
    return String.valueOf(Math.round(file.count("read") / seconds));
  }

  private static String note(JobLoad file) {
    return switch (file.status()) {
      case FAILED -> "FAILED " + file.code() + ": " + file.message();
      case SAME_CONTENT -> "skipped: the same content was loaded before (" + file.sameAs() + ")";
      case LOADED, SKIPPED -> String.join("; ", file.warnings());
      case RUNNING, CANCELLED -> file.status().name().toLowerCase(Locale.ROOT);
    };
  }
}
