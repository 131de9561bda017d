package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** What a command says of a job that it has launched. */
record Launched(ServerOptions options, Terminal terminal, RestClient server) {

  /**
   * Prints its id or, when it is waited for, what became of it.
   *
   * @param accepted the answer to the launch
   * @return the exit code
   */
  int follow(JsonNode accepted, boolean wait) {
    String job = accepted.path("job_id").asText();
    if (!wait) {
      print(accepted, "Job %s: %s".formatted(job, accepted.path("status").asText()));
      return ExitCodes.OK;
    }
    if (!options.json()) {
      terminal.err().println(Terminal.plain("Job " + job));
    }
    JobReport report = new JobReport(new JobWatch(server, terminal, options.json()).awaitEnd(job));
    if (options.json()) {
      ServerOptions.print(terminal, report.job());
    } else {
      report.print(terminal.out());
    }
    return report.exitCode();
  }

  private void print(JsonNode answer, String words) {
    if (options.json()) {
      ServerOptions.print(terminal, answer);
    } else {
      terminal.out().println(Terminal.plain(words));
    }
  }
}
