package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;

/**
 * A job as the user sees it.
 *
 * @param job as the contract has it
 */
record JobReport(JsonNode job) {

  /** What the process says of it with its exit code; OK for one that has not ended. */
  int exitCode() {
    return switch (job.path("status").asText()) {
      case "failed", "cancelled" -> ExitCodes.FAILED;
      case "completed" -> result("rejected") > 0 ? ExitCodes.REJECTS : ExitCodes.OK;
      default -> ExitCodes.OK;
    };
  }

  private long result(String count) {
    return job.path("result").path(count).asLong();
  }

  /** Prints state, counts and the ledger of its files. */
  void print(PrintWriter out) {
    out.println(
        Terminal.plain(
            "Job %s of %s: %s"
                .formatted(
                    RestClient.text(job, "job_id"),
                    RestClient.text(job, "project"),
                    RestClient.text(job, "status"))));
    if (!RestClient.text(job, "error_code").isEmpty()) {
      out.println(
          Terminal.plain(
              RestClient.text(job, "error_code") + " " + RestClient.text(job, "message")));
    }
    out.printf(
        "%d files, %d read, %d inserted, %d updated, %d unchanged, %d superseded, %d rejected, %d filtered%n",
        result("files"),
        result("read"),
        result("inserted"),
        result("updated"),
        result("unchanged"),
        result("superseded"),
        result("rejected"),
        result("filtered"));
    if (!job.path("file_results").isEmpty()) {
      files().print(out);
    }
    if (exitCode() == ExitCodes.REJECTS) {
      out.println("What was refused, and why: rejects " + RestClient.text(job, "job_id"));
    }
  }

  private Table files() {
    Table table =
        new Table(
            "file",
            "table",
            "status",
            "inserted",
            "updated",
            "unchanged",
            "superseded",
            "rejected",
            "filtered",
            "error");
    for (JsonNode file : job.path("file_results")) {
      table.add(
          RestClient.text(file, "filename"),
          RestClient.text(file, "table_name"),
          RestClient.text(file, "status"),
          RestClient.text(file, "inserted"),
          RestClient.text(file, "updated"),
          RestClient.text(file, "unchanged"),
          RestClient.text(file, "superseded"),
          RestClient.text(file, "rejected"),
          RestClient.text(file, "filtered"),
          RestClient.text(file, "error"));
    }
    return table;
  }
}
