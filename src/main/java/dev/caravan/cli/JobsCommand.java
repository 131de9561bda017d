package dev.caravan.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "jobs",
    mixinStandardHelpOptions = true,
    description = "Lists the jobs, the newest first, or shows or ends one.")
final class JobsCommand implements Callable<Integer> {

  /** The largest page of the API. */
  private static final int PAGE = 200;

  private final Terminal terminal;

  @Spec private CommandSpec command;

  @Mixin private ServerOptions server;

  @Parameters(paramLabel = "JOB", arity = "0..1", description = "Id of a job.")
  private UUID job;

  @Option(names = "--status", description = "Only these: ${COMPLETION-CANDIDATES}.")
  private Status status;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "20",
      description = "So many at the most (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Option(names = "--cancel", description = "End the job; nothing of a running load is kept.")
  private boolean cancel;

  /** As the contract names them. */
  enum Status {
    queued,
    running,
    completed,
    failed,
    cancelled
  }

  JobsCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() {
    if (limit < 1 || (cancel && job == null)) {
      throw new ParameterException(
          command.commandLine(),
          limit < 1 ? "--limit: allowed are numbers from 1 on" : "--cancel needs the id of a job");
    }
    RestClient client = server.connect(terminal);
    if (job == null) {
      list(client);
      return ExitCodes.OK;
    }
    if (cancel) {
      JsonNode cancelled = client.post("/jobs/" + job + "/cancel");
      return new Launched(server, terminal, client).follow(cancelled, false);
    }
    JsonNode found = client.get("/jobs/" + job);
    if (server.json()) {
      ServerOptions.print(terminal, found);
    } else {
      new JobReport(found).print(terminal.out());
    }
    return ExitCodes.OK;
  }

  private void list(RestClient client) {
    ArrayNode jobs = RestClient.JSON.createArrayNode();
    String cursor = "";
    do {
      JsonNode page = client.get(path(limit - jobs.size(), cursor));
      jobs.addAll((ArrayNode) page.path("jobs"));
      cursor = RestClient.text(page, "next");
    } while (!cursor.isEmpty() && jobs.size() < limit);
    if (server.json()) {
      ServerOptions.print(terminal, jobs);
    } else {
      print(jobs);
      if (!cursor.isEmpty()) {
        terminal.err().println("There are more; --limit shows them.");
      }
    }
  }

  private String path(int wanted, String cursor) {
    return "/jobs?limit="
        + Math.min(PAGE, wanted)
        + (status == null ? "" : "&status=" + status)
        + (cursor.isEmpty() ? "" : "&cursor=" + RestClient.encoded(cursor));
  }

  private void print(ArrayNode jobs) {
    Table table =
        new Table("job", "created", "kind", "project", "status", "inserted", "updated", "rejected");
    for (JsonNode one : jobs) {
      JsonNode result = one.path("result");
      table.add(
          RestClient.text(one, "job_id"),
          RestClient.text(one, "created_at"),
          RestClient.text(one, "kind"),
          RestClient.text(one, "project"),
          RestClient.text(one, "status"),
          RestClient.text(result, "inserted"),
          RestClient.text(result, "updated"),
          RestClient.text(result, "rejected"));
    }
    table.print(terminal.out());
  }
}
